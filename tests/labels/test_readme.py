"""The README's sample runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ground_truth_labels import agreement, check, export, read_manifest, report
from ground_truth_labels.cli.parser import build_parser
from tests.labels.conftest import CLASSES

README = (Path(__file__).parents[2] / "labels" / "README.md").read_text("utf-8")
URI = "s3://bucket/labels/streets/manifests/output/output.manifest"


@pytest.fixture
def folder(build_job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the samples name: two jobs' folders, and the classes."""
    build_job("job-folder")
    second = build_job("second-job-folder")
    # These are other photographs than the first job's.
    second.manifest.write_text(second.manifest.read_text().replace("s3://street-bucket", "s3://second"))
    monkeypatch.chdir(tmp_path)
    names = ", ".join(f'{{"label": "{name}"}}' for name in CLASSES)
    (tmp_path / "categories.json").write_text(f'{{"labels": [{names}]}}')
    return tmp_path


def test_the_samples_run_one_after_the_other(folder, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert URI in first and len(others) == 5
    names: dict = {}
    exec(first.replace(URI, "job-folder"), names)
    assert capsys.readouterr().out.count("s3://") == 6
    for block in others:
        exec(block, names)
    assert all((folder / each / "classes.csv").is_file() for each in ("dataset", "yolo", "both", "sure"))
    assert Image.open(folder / "first.png").width == 512
    assert len(names["both"]) == 14 and len(names["sure"]) == 3 and len(names["some"]) == 2
    assert 0 < len(names["large"]) < 6
    assert set(names["merged"].labels) == {"rider", "cat", "tableware", "vehicle", "bike"}
    assert list(names["own"].labels) == ["person+clothing", "cat", "cup+tableware", "vehicle+bike"]
    assert names["mask"].shape == names["image"].shape[1:] and len(names["dataset"]) == 6


def test_the_options_that_it_names_are_the_commands() -> None:
    parser: Any = build_parser()
    (commands,) = parser._subparsers._group_actions
    help_ = "".join(each.format_help() for each in commands.choices.values())
    named = set(re.findall(r"--[a-z][a-z-]*", README))
    assert len(named) > 15 and {option for option in named if option not in help_} == set()


def test_a_place_is_as_good_as_an_open_manifest(build_job, tmp_path: Path) -> None:
    job = build_job()
    by_place = export(job.root, tmp_path / "by place", split="80/20")
    assert by_place.exported == export(read_manifest(job.root), tmp_path / "opened", split="80/20").exported
    assert check(str(job.root)).pixels == check(read_manifest(job.root)).pixels
    assert report(job.root, tmp_path / "report.html").location == str(tmp_path / "report.html")
    assert agreement(job.root).images == agreement(read_manifest(job.root)).images
