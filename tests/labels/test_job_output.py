"""Shows 3: check, export, agreement and report on a finished job's folder.

By default on generated output; `GROUND_TRUTH_JOB=<folder or s3://…>` runs it on a real job or the demo's.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ground_truth_labels import LabelList, agreement, check, export, read_manifest, report


@pytest.fixture(scope="module")
def manifest(shared_job):
    location = os.environ.get("GROUND_TRUTH_JOB") or shared_job.root
    return read_manifest(location, endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))


def test_check_finds_no_error(manifest) -> None:
    result = check(manifest)
    assert not result.errors and result.states["labeled"]


def test_export_reads_back(manifest, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    export(manifest, tmp_path / "out", format="coco")
    coco = COCO(str(tmp_path / "out/annotations/instances_default.json"))
    labeled = {item.index + 1: item for item in manifest if item.state == "labeled"}
    assert set(coco.imgs) == set(labeled)
    for number, item in labeled.items():
        mask = np.full(item.mask().shape, manifest.labels.background)
        for annotation in coco.imgToAnns[number]:
            mask[coco.annToMask(annotation).astype(bool)] = annotation["category_id"]
        assert np.array_equal(mask, item.mask())


def test_agreement_and_report(manifest, tmp_path: Path) -> None:
    result = agreement(manifest)
    assert result.images and not result.problems
    assert report(manifest, tmp_path / "r.html").agreement is not None
    json.dumps(result.as_dict())


def test_ids_hold_over_runs(manifest) -> None:
    assert isinstance(manifest.labels, LabelList)
    assert read_manifest(manifest.location).labels == manifest.labels
