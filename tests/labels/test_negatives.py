"""Images whose mask is background all over go along in every format, unless somebody wants otherwise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import SegmentationDataset, export, read_manifest
from ground_truth_labels.cli import main
from ground_truth_labels.exports import FORMATS
from tests.labels.sets import WHITE, line, mask, write_set

COLORS = {"BACKGROUND": WHITE, "road": "#111111"}


@pytest.fixture
def folder(tmp_path: Path):
    """Four photographs, of which the first and third show nothing."""
    entries = []
    for number in range(4):
        Image.new("RGB", (4, 3), (40 * number, 9, 9)).save(tmp_path / f"{number}.jpg", quality=95)
        name = "road" if number % 2 else "BACKGROUND"
        entries.append((line(f"{number}.jpg", f"m/{number}.png", COLORS), mask([[name] * 4] * 3, COLORS)))
    return write_set(tmp_path / "job", entries)


@pytest.fixture(autouse=True)
def images(tmp_path: Path, folder) -> None:
    for path in tmp_path.glob("*.jpg"):
        path.rename(folder / path.name)


def stem(name):
    return name.rpartition("/")[2].rpartition(".")[0]


def read_all(out, pattern):
    return [json.loads(path.read_text()) for path in out.glob(pattern)]


def parquet_images(out):
    import pyarrow.parquet as parquet

    tables = [parquet.read_table(path) for path in out.rglob("*.parquet")]
    return [row["path"] for table in tables for row in table["image"].to_pylist()]


def files(out):
    """The files of a format that has no list of them."""
    found = [path.stem for path in out.rglob("*.*") if path.suffix in (".jpg", ".png", ".npy")]
    return [f"{name.removesuffix('_leftImg8bit')}." for name in found if "gtFine" not in name]


VOC = "VOCdevkit/VOC2012/ImageSets/Segmentation/trainval.txt"
#: Format → what it lists: the images that a reader of it gets.
LISTED = {
    "coco": lambda out: [i["file_name"] for d in read_all(out, "annotations/*.json") for i in d["images"]],
    "cvat": lambda out: re.findall(r'<image id="\d+" name="([^"]*)"', (out / "annotations.xml").read_text()),
    "datumaro": lambda out: [f"{i['id']}." for d in read_all(out, "annotations/*.json") for i in d["items"]],
    "hf-imagefolder": lambda out: [
        json.loads(row)["file_name"]
        for path in out.rglob("metadata.jsonl")
        for row in path.read_text().splitlines()
    ],
    "hf-parquet": parquet_images,
    "label-studio": lambda out: [task["data"]["image"] for d in read_all(out, "tasks.json") for task in d],
    "voc": lambda out: [f"{name}." for name in (out / VOC).read_text().split()],
    "yolo-seg": lambda out: [path.name for path in (out / "labels").rglob("*.txt")],
}
LISTED["coco-polygons"] = LISTED["coco"]


def images_in(layout, out):
    return {stem(name) for name in LISTED.get(layout, files)(out)}


@pytest.mark.parametrize("layout", FORMATS)
def test_every_format_has_them_or_says_what_is_left_out(folder, tmp_path: Path, layout) -> None:
    result = export(folder, tmp_path / "all", format=layout)
    assert sum(result.exported.values()) == 4
    assert images_in(layout, tmp_path / "all") == {f"{n:06d}_{n}" for n in range(4)}
    result = export(folder, tmp_path / "some", format=layout, negatives=False)
    assert sum(result.exported.values()) == 2 and result.left_out == {"background-only": 2}
    assert images_in(layout, tmp_path / "some") == {"000001_1", "000003_3"}
    rows = [json.loads(row) for row in (tmp_path / "some/_labels/left-out.jsonl").read_text().splitlines()]
    assert [(row["line"], row["why"]) for row in rows] == [
        (n, "its mask is background all over") for n in (1, 3)
    ]


def test_a_split_is_made_of_what_stays(folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--no-negatives", "--split", "50/50", "--quiet"]
    assert main(["export", str(folder), str(tmp_path / "out"), *words]) == 0
    assert "train: 1 images\nvalidation: 1 images\nleft out, background-only: 2" in capsys.readouterr().out


def test_a_dataset_has_the_choice_too(folder) -> None:
    dataset = SegmentationDataset(read_manifest(folder))
    masks = [np.asarray(dataset[index][1]).max() for index in range(len(dataset))]
    assert masks == [0, 1, 0, 1]
    chosen = SegmentationDataset(folder, negatives=False)
    assert [np.asarray(chosen[i][1]).max() for i in range(len(chosen))] == [1, 1]


def test_another_background_counts_as_such(folder, tmp_path: Path) -> None:
    manifest = read_manifest(folder, labels={"BACKGROUND": 3, "road": 0})
    assert export(manifest, tmp_path / "out", negatives=False).left_out == {"background-only": 2}
