"""A key with a tab, which S3 allows and the service labels, is read and stands in every export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import check, export, read_manifest
from ground_truth_labels.exports import FORMATS

KEY = "day\t1/a\tb.png"
TABLE = {
    "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.5},
    "1": {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0.5},
}
DRAWN = np.zeros((4, 6), np.uint8)
DRAWN[1:3, 1:4] = 1


@pytest.fixture
def folder(tmp_path: Path):
    root = tmp_path / "job"
    (root / "day\t1").mkdir(parents=True)
    Image.fromarray(np.full((4, 6, 3), 90, np.uint8)).save(root / KEY)
    colours = np.array([(255, 255, 255), (0x2C, 0xA0, 0x2C)], np.uint8)
    Image.fromarray(colours[DRAWN]).save(root / "m\t1.png")
    line = {
        "source-ref": KEY,
        "m-ref": "m\t1.png",
        "m-ref-metadata": {"internal-color-map": TABLE, "type": "groundtruth/semantic-segmentation"},
    }
    (root / "output.manifest").write_text(json.dumps(line) + "\n")
    return root


def test_it_is_read(folder) -> None:
    [item] = read_manifest(folder)
    assert item.source_ref == KEY
    assert np.array_equal(item.mask(), DRAWN)
    assert not [p for p in check(folder).problems if p.severity == "error"]


@pytest.mark.parametrize("layout", FORMATS)
def test_it_is_exported(folder, tmp_path: Path, layout) -> None:
    target = tmp_path / "out"
    assert sum(export(folder, target, format=layout).exported.values()) == 1
    [source] = [json.loads(line) for line in (target / "_labels" / "sources.jsonl").open()]
    assert KEY in json.dumps(source, ensure_ascii=False).replace("\\t", "\t")
    assert not [p for p in target.rglob("*") if "\t" in p.name]
    with (target / "classes.csv").open(newline="") as file:
        assert "road" in {row["name"] for row in csv.DictReader(file)}
