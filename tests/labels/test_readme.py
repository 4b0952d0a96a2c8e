"""The README's sample runs."""

from __future__ import annotations

import re
from pathlib import Path

from ground_truth_labels import agreement, check, export, read_manifest, report
from tests.labels.conftest import CLASSES

README = (Path(__file__).parents[2] / "labels" / "README.md").read_text("utf-8")
URI = "s3://bucket/labels/streets/manifests/output/output.manifest"


def test_the_sample_reads_and_exports_a_job(build_job, tmp_path, monkeypatch, capsys):
    [block] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert URI in block
    job = build_job()
    monkeypatch.chdir(tmp_path)
    names = ", ".join(f'{{"label": "{name}"}}' for name in CLASSES)
    (tmp_path / "categories.json").write_text(f'{{"labels": [{names}]}}')
    exec(block.replace(URI, str(job.root)), {})
    assert capsys.readouterr().out.count("s3://") >= 1
    assert (tmp_path / "dataset" / "classes.csv").is_file()


def test_a_place_is_as_good_as_an_open_manifest(build_job, tmp_path):
    job = build_job()
    by_place = export(job.root, tmp_path / "by place", split="80/20")
    assert by_place.exported == export(read_manifest(job.root), tmp_path / "opened", split="80/20").exported
    assert check(str(job.root)).pixels == check(read_manifest(job.root)).pixels
    assert report(job.root, tmp_path / "report.html").location == str(tmp_path / "report.html")
    assert agreement(job.root).images == agreement(read_manifest(job.root)).images
