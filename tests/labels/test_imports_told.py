"""What another tool's export doesn't say plainly is told, and never a label of another image or class."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import LabelsError, ManifestError, import_labels, read_manifest
from ground_truth_labels.exports.brush import encode
from tests.labels.sets import read_lines, write_manifest

SHAPE = '<mask label="road" left="0" top="0" width="2" height="1" rle="0, 1, 1"/>'


def images(folder: Path, *names: str) -> Path:
    """Photographs of two pixels, and their manifest."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 1)).save(folder / name, "JPEG")
    write_manifest(folder, [{"source-ref": f"s3://b/{name}"} for name in names])
    return folder


def cvat(*names: str) -> str:
    inside = "".join(f'<image name="{name}" width="2" height="1">{SHAPE}</image>' for name in names)
    return f"<annotations>{inside}</annotations>"


def labeled(folder: Path, source: Path, target: Path) -> list[str]:
    """The images that got a label."""
    result = import_labels(read_manifest(folder, labels=["road", "car"]), source, target)
    return [
        line["source-ref"].removeprefix("s3://b/")
        for line in read_lines(result.manifest)
        if "label-ref" in line
    ]


@pytest.mark.parametrize(
    ("there", "named", "wanted"),
    [
        (["photo.jpg", "photo.1.jpg"], "photo.1.jpg", "photo.1.jpg"),
        (["photo.jpg", "photo.1.jpg"], "photo.1", "photo.1.jpg"),
        (["photo.jpg", "photo.1.jpg"], "photo", "photo.jpg"),
        (["a.b.JPG", "a.jpg"], "a.b.png", "a.b.JPG"),
        (["v1.0.jpg", "v1.1.jpg"], "v1.1", "v1.1.jpg"),
        (["day.1/x.jpg", "day/y.jpg"], "day.1/x.jpg", "day.1/x.jpg"),
    ],
)
def test_what_follows_another_dot_tells_images_apart(there, named: str, wanted: str, tmp_path: Path) -> None:
    folder = images(tmp_path / "in", *there)
    (tmp_path / "x.xml").write_text(cvat(named))
    assert labeled(folder, tmp_path / "x.xml", tmp_path / "new") == [wanted]


@pytest.mark.parametrize("named", ["photo.1", "photo.1.jpg", "photo.v2.png"])
def test_a_mask_of_an_image_that_is_not_there_is_nobodys(named: str, tmp_path: Path) -> None:
    """It was taken for the image whose name is the part before the first dot but one."""
    folder = images(tmp_path / "in", "photo.jpg")
    (tmp_path / "x.xml").write_text(cvat(named))
    with pytest.raises(ManifestError, match="no image of"):
        labeled(folder, tmp_path / "x.xml", tmp_path / "new")
    assert not list((tmp_path / "new").rglob("*.manifest"))


def brush(names: Any) -> dict[str, Any]:
    value = {"rle": list(encode(np.array([[True, False]]))), "brushlabels": names}
    return {"type": "brushlabels", "original_width": 2, "original_height": 1, "value": value}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([brush(["road", "car"])], r"must be a list of one class, got \['road', 'car'\]"),
        ([brush("road")], "must be a list of one class, got 'road'"),
        ([brush({"road": 1})], "must be a list of one class"),
        ("nothing", "'result' must be a list of objects"),
        ({"a": 1}, "'result' must be a list of objects"),
        ([brush(["road"]), "text"], "'result' must be a list of objects"),
        ([None], "'result' must be a list of objects"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_brush_has_one_class_and_a_result_is_a_list(result, message: str, tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a.jpg")
    task = {"data": {"image": "a.jpg"}, "annotations": [{"result": result}]}
    (tmp_path / "x.json").write_text(json.dumps([task]))
    with pytest.raises(ManifestError, match=message):
        labeled(folder, tmp_path / "x.json", tmp_path / "new")


def test_a_video_is_no_set_of_images(tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a.jpg")
    (tmp_path / "x.xml").write_text(
        '<annotations><track id="0" label="road"><box frame="0"/></track></annotations>'
    )
    with pytest.raises(ManifestError, match=r"export as 'CVAT for images 1\.1'"):
        labeled(folder, tmp_path / "x.xml", tmp_path / "new")


@pytest.mark.parametrize("encoding", ["utf-99", "x-mac-nothing"])
def test_an_encoding_that_nobody_knows(encoding: str, tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a.jpg")
    (tmp_path / "x.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?>{cvat("a.jpg")}')
    with pytest.raises(ManifestError, match="must be CVAT's XML: "):
        labeled(folder, tmp_path / "x.xml", tmp_path / "new")


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
)
def test_a_damaged_zip_is_told_or_reads_the_same(method: int, tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a.jpg")
    whole = tmp_path / "x.zip"
    with zipfile.ZipFile(whole, "w", method) as archive:
        archive.writestr("annotations.xml", cvat("a.jpg"))
    data, chance = whole.read_bytes(), random.Random(method)
    for round_ in range(25):
        spoiled = bytearray(data)
        spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (tmp_path / "y.zip").write_bytes(
            bytes(spoiled) if round_ % 2 else data[: chance.randrange(len(data))]
        )
        try:
            found = labeled(folder, tmp_path / "y.zip", tmp_path / f"new {round_}")
        except LabelsError as error:
            assert "y.zip" in str(error)
        else:
            assert found == ["a.jpg"]


def test_what_macos_puts_beside_a_file_is_left_out(tmp_path: Path) -> None:
    folder = images(tmp_path / "in", "a.jpg")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("annotations.xml", cvat("a.jpg"))
        archive.writestr("__MACOSX/._annotations.xml", b"\x00\x05\x16\x07")
        archive.writestr("._annotations.xml", b"\x00\x05\x16\x07")
    assert labeled(folder, tmp_path / "x.zip", tmp_path / "new") == ["a.jpg"]
