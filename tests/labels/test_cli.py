from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ground_truth_labels.cli import main
from tests.labels.sets import WHITE, line, mask, write_set


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ground_truth_labels.cli.parser import build_parser; build_parser().format_help();"
        "print({'numpy', 'PIL', 'boto3', 'aws_cdk'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize("command", ["read", "check", "export", "agreement", "report", "repair"])
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0 and "--labels" in capsys.readouterr().out


def test_read(shared_job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(shared_job.root), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["labeled"] * 6 + ["unlabeled"]
    assert main(["read", str(shared_job.root), "--limit", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_check_exit_codes(job, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_export_agreement_report_repair(
    shared_job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.manifest")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("ground-truth-labels check: ") and error.count("\n") == 1


@pytest.mark.parametrize("split", ["80", "a/b", "1/2/3/4"])
def test_a_wrong_split_is_wrong_usage(split: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["export", "m", "t", "--split", split])
    assert stop.value.code == 2 and "must be like 80/10/10" in capsys.readouterr().err


def test_agreement_without_answers_says_where_it_looked(
    build_job, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agreement", str(build_job(workers=False).root)]) == 1
    assert "no worker responses; name the folder with --responses" in capsys.readouterr().err


COMMANDS = {
    "read": [],
    "read as JSON": ["--json"],
    "check": ["--no-images"],
    "check as JSON": ["--json", "--no-images"],
    "export": ["{out}", "--no-images"],
    "repair": ["{out}"],
    "relabel": ["{out}", "--rename", "道路", "街路"],
    "agreement": [],
    "workers": [],
    "report": ["{out}.html"],
    "partial": ["{out}", "--label-attribute", "missing-"],
}


@pytest.mark.parametrize(
    ("command", "encoding"),
    [*((command, "cp1252") for command in COMMANDS), ("read", "utf-8"), ("read", "ascii")],
)
def test_a_terminal_without_japanese_gets_escapes(tmp_path: Path, command, encoding) -> None:
    """Windows' cp1252 has no such letters: each command says what it has to say, in escapes."""
    colors = {"BACKGROUND": WHITE, "道路": "#111111"}
    folder = tmp_path / "仕事"
    write_set(folder, [(line("写真/一.jpg", "m.png", colors), mask([["道路", "BACKGROUND"]], colors))])
    words = [word.format(out=tmp_path / "out") for word in COMMANDS[command]]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    run = [sys.executable, "-m", "ground_truth_labels", command.split()[0], str(folder), *words]
    done = subprocess.run(run, capture_output=True, env=environment, cwd=tmp_path)
    told = (done.stdout + done.stderr).decode(encoding)
    assert "Traceback" not in told and "unexpected" not in told and told.strip()
    assert done.returncode == (1 if command in ("agreement", "workers", "partial") else 0), told
    if command in ("read", "check", "relabel"):
        assert ("路" if encoding == "utf-8" else "\\u8def") in told
