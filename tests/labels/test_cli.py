from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ground_truth_labels.cli import main


def test_help_is_fast_and_loads_nothing_heavy():
    code = (
        "import sys; from ground_truth_labels.cli.parser import build_parser; build_parser().format_help();"
        "print({'numpy', 'PIL', 'boto3', 'aws_cdk'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize("command", ["read", "check", "export", "agreement", "report", "repair"])
def test_each_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0 and "--labels" in capsys.readouterr().out


def test_read(shared_job, capsys):
    assert main(["read", str(shared_job.root), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["labeled"] * 6 + ["unlabeled"]
    assert main(["read", str(shared_job.root), "--limit", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_check_exit_codes(job, capsys):
    assert main(["check", str(job.root), "--quiet"]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out
    job.lines.append(job.lines[0])
    job.write()
    assert main(["check", str(job.root), "--quiet"]) == 0
    assert main(["check", str(job.root), "--quiet", "--strict"]) == 1
    job.local(job.lines[0]["source-ref"]).unlink()
    capsys.readouterr()
    assert main(["check", str(job.root), "--quiet", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert {"missing-image", "duplicate-source"} <= {p["code"] for p in result["problems"]}
    assert main(["check", str(job.root), "--quiet", "--no-images"]) == 0


def test_export_agreement_report_repair(shared_job, tmp_path, capsys):
    source = str(shared_job.root)
    labels = "person,clothing,cat,cup,tableware,vehicle,bike"
    common = ["--labels", labels, "--quiet"]
    assert main(["export", source, str(tmp_path / "a"), "--split", "50/50", *common]) == 0
    assert "train: 3 images\nvalidation: 3 images\nleft out, unlabeled: 1" in capsys.readouterr().out
    assert main(["agreement", source, "--names", *common]) == 0
    assert "look at: worker carl-04de" in capsys.readouterr().out
    assert main(["agreement", source, "--json", *common]) == 0
    assert json.loads(capsys.readouterr().out)["classes"][1] == "person"
    assert main(["report", source, str(tmp_path / "r.html"), *common]) == 0
    assert main(["repair", source, str(tmp_path / "b"), *common]) == 0
    assert "0 masks corrected, 6 were right" in capsys.readouterr().out


def test_errors_are_one_line(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.manifest")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ground-truth-labels check: ") and error.count("\n") == 1


@pytest.mark.parametrize("split", ["80", "a/b", "1/2/3/4"])
def test_a_wrong_split_is_wrong_usage(split, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", "m", "t", "--split", split])
    assert stop.value.code == 2 and "must be like 80/10/10" in capsys.readouterr().err


def test_agreement_without_answers_says_where_it_looked(build_job, capsys):
    assert main(["agreement", str(build_job(workers=False).root)]) == 1
    assert "no worker responses; name the folder with --responses" in capsys.readouterr().err
