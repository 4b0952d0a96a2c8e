from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import check, read_manifest


def codes(job, **options):
    result = check(read_manifest(job.root, **options))
    return {(p.code, p.severity, p.line) for p in result.problems}


def test_a_good_job_has_nothing_but_a_note(shared_job) -> None:
    assert codes(shared_job) == {("unlabeled", "info", None)}


def test_shares_and_images(shared_job) -> None:
    result = check(read_manifest(shared_job.root))
    assert sum(result.pixels.values()) == pytest.approx(1)
    assert result.images["vehicle"] == 2 and result.images["BACKGROUND"] == 6
    json.dumps(result.as_dict())


def test_missing_objects(job) -> None:
    job.local(job.lines[0]["source-ref"]).unlink()
    job.local(job.lines[1]["streets-ref"]).unlink()
    assert {("missing-image", "error", 1), ("missing-mask", "error", 2)} <= codes(job)


def test_sizes(job) -> None:
    first = job.local(job.lines[0]["source-ref"])
    Image.open(first).crop((0, 0, 9, 9)).save(first)
    assert ("size-mismatch", "error", 1) in codes(job)


def test_empty_unused_and_duplicates(job, mask_png) -> None:
    empty = np.zeros(job.truth[4].shape, np.uint8)
    job.local(job.lines[4]["streets-ref"]).write_bytes(mask_png(empty, ["person"]))
    shutil.copy(job.local(job.lines[0]["source-ref"]), job.root / "again.jpg")
    job.lines.append({**job.lines[0], "source-ref": "s3://street-bucket/again.jpg"})
    job.lines.append(job.lines[3])
    job.write()
    assert codes(job) == {
        ("empty-mask", "warning", 5),
        ("unused-class", "warning", None),
        ("duplicate-image", "warning", 8),
        ("duplicate-mask", "warning", 8),
        ("duplicate-source", "warning", 9),
        ("unlabeled", "info", None),
    }


def test_unknown_and_resampled_colours(job, mask_png) -> None:
    path = job.local(job.lines[0]["streets-ref"])
    image = Image.open(path).convert("RGB")
    image.putpixel((3, 3), (1, 2, 3))
    image.save(path)
    classes = ("person", "clothing", "cat", "cup", "tableware", "vehicle", "bike")
    size = (job.truth[1].shape[1] // 2, job.truth[1].shape[0] // 2)
    job.local(job.lines[1]["streets-ref"]).write_bytes(mask_png(job.truth[1], classes, "RGB", size=size))
    assert {("unknown-colors", "error", 1), ("resampled-mask", "error", 2)} <= codes(job)


def test_wrong_indices_are_told_and_right_ones_are_not(build_job) -> None:
    found = codes(build_job(wrong=True))
    assert ("wrong-index", "warning", 1) in found


def test_bad_lines_and_a_job_without_labels(job) -> None:
    job.manifest.write_text('{"source-ref": "s3://street-bucket/inputs/open/0.jpg"}\n{oops\n')
    found = codes(job)
    assert {("bad-line", "error", 2), ("no-labels", "error", None)} <= found


def test_failed_lines(job) -> None:
    job.lines[0]["streets-ref-metadata"] = {"failure-reason": "expired"}
    del job.lines[0]["streets-ref"]
    job.write()
    assert ("failed", "warning", 1) in codes(job)
