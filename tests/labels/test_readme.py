"""The README's sample runs."""

from __future__ import annotations

import re
from pathlib import Path

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
