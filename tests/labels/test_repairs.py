"""Repair: a corrected copy for jobs with wrong indices, never in place."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, check, read_manifest, repair


def test_indices_become_those_of_the_colour_map(build_job, tmp_path):
    job = build_job(wrong=True)
    before = {p: p.read_bytes() for p in job.root.rglob("*") if p.is_file()}
    result = repair(read_manifest(job.manifest), tmp_path / "fixed")
    assert (result.corrected, result.unchanged, result.passed) == (6, 0, 1)
    fixed = read_manifest(result.manifest)
    for item, truth, line in zip(fixed, job.truth, job.lines, strict=False):
        if item.state != "labeled":
            continue
        with Image.open(tmp_path / "fixed" / item.mask_ref) as image:
            # By index, as tools that ignore colours read it.
            assert np.array_equal(np.asarray(image), truth)
        again = json.loads(item.raw)
        assert {**again, "streets-ref": line["streets-ref"]} == line
    assert {p: p.read_bytes() for p in job.root.rglob("*") if p.is_file()} == before
    assert "wrong-index" not in {p.code for p in check(fixed, images=False).problems}


def test_right_masks_are_copied_byte_for_byte(job, tmp_path):
    result = repair(read_manifest(job.manifest), tmp_path / "fixed")
    assert (result.corrected, result.unchanged) == (0, 6)
    copy = tmp_path / "fixed/masks/000000_astronaut.png"
    assert copy.read_bytes() == job.local(job.lines[0]["streets-ref"]).read_bytes()


def test_never_in_place(job):
    with pytest.raises(ExportError, match="is not empty; repair writes a copy"):
        repair(read_manifest(job.manifest), job.manifest.parent)
