"""Own ids, classes read as one, and classes read as background."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ground_truth_labels import (
    ManifestError,
    SegmentationDataset,
    check,
    export,
    read_manifest,
    relabel,
    repair,
)
from ground_truth_labels.cli import main
from tests.labels.sets import WHITE, line, mask, write_set

COLORS = {"BACKGROUND": WHITE, "road": "#111111", "car": "#222222", "truck": "#333333", "sky": "#444444"}
NAMES = ["BACKGROUND", "road", "car", "truck", "sky"]


@pytest.fixture
def folder(tmp_path: Path):
    return write_set(tmp_path / "job", [(line("s3://b/a.jpg", "m.png", COLORS), mask([NAMES], COLORS))])


@pytest.mark.parametrize(
    ("options", "classes", "pixels"),
    [
        # Sorted: car 1, road 2, sky 3, truck 4.
        ({"merge": {"vehicle": ["car", "truck"]}}, ["vehicle", "road", "sky"], [0, 2, 1, 1, 3]),
        ({"merge": {"car": ["truck"]}}, ["car", "road", "sky"], [0, 2, 1, 1, 3]),
        ({"merge": {"vehicle": ("car", "truck")}, "drop": ["sky"]}, ["vehicle", "road"], [0, 2, 1, 1, 0]),
        ({"drop": "sky"}, ["car", "road", "truck"], [0, 2, 1, 3, 0]),
        (
            {"labels": "truck,sky,road,car", "merge": {"v": ["car", "truck"]}},
            ["v", "sky", "road"],
            [0, 3, 1, 1, 2],
        ),
        (
            {"labels": ["road", "sky", "vehicle"], "merge": {"vehicle": ["car", "truck"]}},
            ["road", "sky", "vehicle"],
            [0, 1, 3, 3, 2],
        ),
        (
            {"labels": {"road": 7, "vehicle": 9, "sky": 4}, "merge": {"vehicle": ["car", "truck"]}},
            ["road", "vehicle", "sky"],
            [0, 7, 9, 9, 4],
        ),
        (
            {"labels": {"road": 7, "car": 9, "truck": 8, "sky": 4}, "merge": {"vehicle": ["car", "truck"]}},
            ["road", "vehicle", "sky"],
            [0, 7, 9, 9, 4],
        ),
        (
            {"labels": {"road": 2, "car": 1, "truck": 1, "sky": 5}},
            ["road", "car+truck", "sky"],
            [0, 2, 1, 1, 5],
        ),
        ({"labels": "road=2,car=1,truck=1,sky=300"}, ["road", "car+truck", "sky"], [0, 2, 1, 1, 300]),
        (
            {"labels": {"BACKGROUND": 5, "road": 0, "car": 1, "truck": 2, "sky": 3}},
            NAMES[1:],
            [5, 0, 1, 2, 3],
        ),
    ],
)
def test_ids(folder, tmp_path: Path, options, classes, pixels) -> None:
    manifest = read_manifest(folder, **options)
    assert list(manifest.labels) == classes
    assert manifest[0].mask().tolist() == [pixels]
    image, masks = tmp_path / "b/a.jpg", tmp_path / "out/masks/000000_a.png"
    assert check(manifest, images=False).images[classes[0]] == 1
    export(manifest, tmp_path / "out", images=False)
    rows = {row["name"]: int(row["id"]) for row in csv.DictReader((tmp_path / "out/classes.csv").open())}
    assert rows == manifest.classes and masks.exists() and not image.exists()
    merged = json.loads((tmp_path / "out/_labels/export.json").read_text())["plan"]["merged"]
    assert merged == dict(manifest.labels.merged)


def test_the_command_has_the_same(folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--merge", "vehicle", "car", "truck", "--drop", "sky", "--labels", "road,vehicle"]
    assert main(["export", str(folder), str(tmp_path / "out"), "--no-images", "--quiet", *words]) == 0
    assert (tmp_path / "out/classes.csv").read_text().split()[1:] == [
        "0,BACKGROUND,#000000",
        "1,road,#0072b2",
        "2,vehicle,#e69f00",
    ]
    assert (
        main(["check", str(folder), "--no-images", "--quiet", "--labels", "road=1,car=2,truck=2,sky=3"]) == 0
    )
    assert "car+truck" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"merge": {"vehicle": ["car", "lorry"]}},
            "no class 'lorry' to merge or drop; there are 'car'",
        ),
        ({"drop": ["cloud"]}, "no class 'cloud' to merge or drop"),
        ({"drop": ["road", "car", "truck", "sky"]}, "no class would be left"),
        ({"merge": {"a": ["car"], "b": ["car"]}}, "'car' can't become both 'a' and 'b'"),
        ({"merge": {"a": ["car"]}, "drop": ["car"]}, "'car' can't become both 'a' and 'BACKGROUND'"),
        (
            {"merge": {"a": ["car"], "car": ["truck"]}},
            "'car' can't be the name of merged classes and",
        ),
        (
            {"labels": ["road", "sky"], "merge": {"v": ["car", "truck"]}},
            "must have 'v', the name of merged",
        ),
        ({"labels": {"road": 1, "car": 2}}, "class 'sky', 'truck' is not in the label list"),
    ],
)
def test_wishes_that_contradict_are_named(folder, options, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read_manifest(folder, **options)[0].mask()


def test_writers_of_lines_refuse_classes_that_only_the_reader_merged(folder, tmp_path: Path) -> None:
    manifest = read_manifest(folder, merge={"vehicle": ["car", "truck"]})
    with pytest.raises(ManifestError, match="repair takes the classes as they are; read without merge"):
        repair(manifest, tmp_path / "t")
    with pytest.raises(ManifestError, match="relabel takes the classes as they are"):
        relabel(manifest, tmp_path / "t", drop=["sky"])


def test_a_dataset_in_another_process_has_them(folder) -> None:
    import pickle

    from PIL import Image

    Image.new("RGB", (5, 1)).save(folder / "a.png")
    text = (folder / "output.manifest").read_text().replace("s3://b/a.jpg", "a.png")
    (folder / "output.manifest").write_text(text)
    dataset = SegmentationDataset(read_manifest(folder, merge={"vehicle": ["car", "truck"]}))
    _, found = pickle.loads(pickle.dumps(dataset))[0]
    assert [int(v) for v in found[0]] == [0, 2, 1, 1, 3]
