"""Each mask is read once and decoded once, whatever is done with it."""

from __future__ import annotations

import functools
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import PngImagePlugin

from ground_truth_labels import (
    Manifest,
    Storage,
    agreement,
    check,
    export,
    import_labels,
    merge,
    partial,
    read_manifest,
    relabel,
    repair,
    report,
    worker_quality,
)
from ground_truth_labels.exports import FORMATS
from tests.labels.sets import street
from tests.s3 import service_error


class CountedS3:
    """A job's folder as a bucket; counts the GETs of each key."""

    def __init__(self, job) -> None:
        self.objects = {
            ("street-bucket", path.relative_to(job.root).as_posix()): path.read_bytes()
            for path in job.root.rglob("*")
            if path.is_file()
        }
        self.gets: Counter[Any] = Counter()
        #: Another client of the same bucket, whose calls count by themselves.
        self.other: CountedS3 | None = None

    def get_object(self, *, Bucket, Key, Range=None):
        self.gets[Key] += 1
        data = self.objects[Bucket, Key]
        return {"Body": io.BytesIO(data), "ContentLength": len(data)}

    def head_object(self, *, Bucket, Key):
        if (Bucket, Key) not in self.objects:
            raise service_error("HeadObject", "404", status=404)
        return self.objects[Bucket, Key]

    def get_paginator(self, _):
        return self

    def paginate(self, *, Bucket, Prefix):
        keys = sorted(k for b, k in self.objects if b == Bucket and k.startswith(Prefix))
        return [{"Contents": [{"Key": k} for k in keys]}]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch):
    """Counts the PNGs whose pixels are decoded, by their content."""
    counts: Counter[Any] = Counter()
    start = PngImagePlugin.PngImageFile.load_prepare

    def counted(self) -> None:
        position = self.fp.tell()
        self.fp.seek(0)
        counts[self.fp.read()] += 1
        self.fp.seek(position)
        start(self)

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_prepare", counted)
    return counts


def _export_with_a_split(manifest: Manifest, target: Path, format: str) -> None:
    export(manifest, target / "out", format=format, split="80/20")


COMMANDS: dict[str, Callable[[Manifest, Path], Any]] = {
    "check": lambda manifest, target: check(manifest),
    "report": lambda manifest, target: report(manifest, target / "r.html"),
    "workers": lambda manifest, target: worker_quality(manifest),
    "agreement": lambda manifest, target: agreement(manifest),
    "relabel": lambda manifest, target: relabel(manifest, target / "new", drop=["cup"]),
    "repair": lambda manifest, target: repair(manifest, target / "repaired"),
    "export": lambda manifest, target: export(manifest, target / "out"),
    "export with a split": lambda manifest, target: export(
        manifest, target / "out", format="coco-polygons", split={"train": 0.5, "validation": 0.5}
    ),
    "export without negatives, with a split": lambda manifest, target: export(
        manifest, target / "out", format="voc", split="80/20", negatives=False
    ),
    "export of the sure": lambda manifest, target: export(
        manifest.where(min_confidence=0.1), target / "out", format="coco", regions=True
    ),
    **{f"export {name}": functools.partial(_export_with_a_split, format=name) for name in FORMATS},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_one_get_and_one_decoding_a_mask(shared_job, tmp_path: Path, decoded, command) -> None:
    s3 = CountedS3(shared_job)
    manifest = read_manifest(
        "s3://street-bucket/labels/streets/manifests/output/output.manifest", storage=Storage(client=s3)
    )
    COMMANDS[command](manifest, tmp_path)
    masks = [line["streets-ref"].removeprefix("s3://street-bucket/") for line in shared_job.lines[:6]]
    assert {key: s3.gets[key] for key in masks} == dict.fromkeys(masks, 1)
    assert [decoded[s3.objects["street-bucket", key]] for key in masks] == [1] * len(masks)


def _merged(manifest: Manifest, target: Path) -> None:
    merge([manifest, street(target / "other")], target / "merged")


def _imported(manifest: Manifest, target: Path) -> None:
    # What a tool hands back is made here by a reader of its own, whose calls aren't counted.
    other = read_manifest(manifest.location, storage=Storage(client=manifest.storage.s3.other))
    export(other, target / "out", format="cvat", images=False)
    import_labels(manifest, target / "out/annotations.xml", target / "imported")


#: These leave masks where they are, or copy them, and needn't know what is in them.
AT_MOST: dict[str, Callable[[Manifest, Path], Any]] = {
    "merge": _merged,
    "partial": lambda manifest, target: partial(manifest, target / "whole"),
    "import": _imported,
}


@pytest.mark.parametrize("command", AT_MOST)
def test_never_more_than_one_get_and_one_decoding(shared_job, tmp_path: Path, decoded, command) -> None:
    s3 = CountedS3(shared_job)
    s3.other = CountedS3(shared_job)
    manifest = read_manifest(
        "s3://street-bucket/labels/streets/manifests/output/output.manifest", storage=Storage(client=s3)
    )
    AT_MOST[command](manifest, tmp_path)
    masks = [line["streets-ref"].removeprefix("s3://street-bucket/") for line in shared_job.lines[:6]]
    assert all(s3.gets[key] <= 1 for key in masks), s3.gets
    # The export that an import reads has decoded each of them once.
    most = 2 if command == "import" else 1
    assert all(decoded[s3.objects["street-bucket", key]] <= most for key in masks)
