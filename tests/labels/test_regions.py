"""One annotation for each region of connected pixels, held against OpenCV's, by pycocotools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from ground_truth_labels import ExportError, export, read_manifest
from ground_truth_labels.cli import main
from ground_truth_labels.exports.regions import region_runs
from ground_truth_labels.exports.rle import compress
from tests.labels.sets import WHITE, line, mask, write_set

COLORS = {"BACKGROUND": WHITE, **{f"c{n}": f"#{n:02x}3050" for n in range(1, 4)}}


def regions_of(ids):
    """Each region as a set of pixels, by OpenCV."""
    found: dict[Any, Any] = {}
    for class_id in np.unique(ids).tolist():
        count, numbers = cv2.connectedComponents((ids == class_id).astype(np.uint8), connectivity=4)
        for number in range(1, count):
            rows, columns = np.nonzero(numbers == number)
            found.setdefault(class_id, set()).add(
                frozenset(zip(rows.tolist(), columns.tolist(), strict=True))
            )
    return found


def test_regions_are_opencvs() -> None:
    from pycocotools import mask as coco

    rng = np.random.default_rng(5)
    for _ in range(300):
        height, width = (int(v) for v in rng.integers(1, 18, 2))
        ids = rng.integers(0, rng.integers(1, 4), (height, width)).astype(np.uint8)
        if rng.random() < 0.5:
            ids = np.repeat(np.repeat(ids, 3, 0), 2, 1)
        found: dict[Any, Any] = {}
        for runs in region_runs(ids):
            encoded = {"size": list(ids.shape), "counts": compress(runs.counts)}
            region = coco.decode(encoded)
            assert int(region.sum()) == runs.area and tuple(coco.toBbox(encoded)) == runs.bbox
            rows, columns = np.nonzero(region)
            pixels = frozenset(zip(rows.tolist(), columns.tolist(), strict=True))
            found.setdefault(runs.id, set()).add(pixels)
        assert found == regions_of(ids)


@pytest.fixture
def folder(tmp_path: Path):
    """Noise, in which regions touch by their corners and lie in each other."""
    rng = np.random.default_rng(2)
    entries = []
    for number in range(3):
        ids = rng.integers(0, 4, (17, 23))
        Image.new("RGB", (23, 17)).save(tmp_path / f"{number}.png")
        entries.append(
            (line(f"{number}.png", f"m/{number}.png", COLORS), mask(np.array(list(COLORS))[ids], COLORS))
        )
    return write_set(tmp_path, entries)


@pytest.mark.parametrize("layout", ["coco", "coco-polygons"])
def test_each_region_has_its_annotation(folder, tmp_path: Path, layout: str) -> None:
    export(folder, tmp_path / "out", format=layout, regions=True)
    coco = COCO(str(tmp_path / "out/annotations/instances_default.json"))
    for image, item in zip(coco.imgs.values(), read_manifest(folder), strict=True):
        found: dict[Any, Any] = {}
        for annotation in coco.imgToAnns[image["id"]]:
            region = coco.annToMask(annotation)
            assert region.sum() == annotation["area"] and annotation["iscrowd"] == 0
            rows, columns = np.nonzero(region)
            x, y, width, height = annotation["bbox"]
            assert (x, y) == (columns.min(), rows.min())
            assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            pixels = frozenset(zip(rows.tolist(), columns.tolist(), strict=True))
            found.setdefault(annotation["category_id"], set()).add(pixels)
        wanted = regions_of(item.mask())
        del wanted[0]
        assert found == wanted
    numbers = [annotation["id"] for annotation in coco.dataset["annotations"]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_command_has_the_option_and_others_refuse_it(
    folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(folder), str(tmp_path / "out"), "--quiet", "--regions", "--format"]
    assert main([*words, "coco"]) == 0
    export(folder, tmp_path / "same", format="coco", regions=True)
    name = "annotations/instances_default.json"
    assert json.loads((tmp_path / "out" / name).read_text()) == json.loads(
        (tmp_path / "same" / name).read_text()
    )
    with pytest.raises(ExportError, match="is of the formats coco, coco-polygons; 'voc' has no use for it"):
        export(folder, tmp_path / "other", format="voc", regions=True)
    # An export begun in the one way isn't ended in the other.
    with pytest.raises(ExportError, match="another finished export"):
        export(folder, tmp_path / "out", format="coco")
