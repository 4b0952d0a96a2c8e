"""Orientation: what turns an image is what Chromium turns, and everything reads it as the workers saw it.

Each picture is painted by headless Chromium twice: as browsers do by default, and with `image-orientation:
none`, as Ground Truth's pages show it (Developer Guide, sms-cors-update). It shares no code with the package.
"""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ground_truth_labels import MaskError, SegmentationDataset, check, export, read_manifest
from ground_truth_labels.context import load_image
from ground_truth_labels.limits import DEFAULT_LIMITS
from ground_truth_labels.orientation import Orientation, exif_orientation, turn, without_turn
from tests.labels.orientation_cases import CASES, exif_note, jpeg_of, near, paint_in_chromium, quarters


@pytest.fixture(scope="module")
def painted(browser: Any):
    grey = np.linspace(0, 65_535, 256).astype(np.uint16).reshape(8, 32)
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, "PNG")
    files = {name: data for name, (data, _) in CASES.items()} | {"grey 16": buffer.getvalue()}
    files |= {f"neutral {name}": without_turn(data) for name, (data, _) in CASES.items()}
    return files, paint_in_chromium(browser, files)


def test_what_chromium_turns_is_what_the_function_says(painted) -> None:
    files, pictures = painted
    for name, (data, wanted) in CASES.items():
        turned, stored = pictures[name]
        assert exif_orientation(data) == wanted, name
        plain = load_image(data, name=name, limits=DEFAULT_LIMITS)
        assert near(np.asarray(plain), stored), name
        assert near(np.asarray(turn(plain, wanted)), turned), name
    assert set(files) == set(pictures)


def test_without_its_note_nobody_turns_it(painted) -> None:
    import cv2

    files, pictures = painted
    for name, (data, _) in CASES.items():
        neutral = files[f"neutral {name}"]
        stored = pictures[name][1]
        # Chromium both ways, Pillow by EXIF and XMP and late chunks, OpenCV by EXIF.
        by_pillow = ImageOps.exif_transpose(Image.open(io.BytesIO(neutral)))
        by_opencv: Any = cv2.imdecode(np.frombuffer(neutral, np.uint8), cv2.IMREAD_COLOR)
        for picture in (*pictures[f"neutral {name}"], np.asarray(by_pillow), by_opencv[..., ::-1]):
            assert near(picture, stored), name
        assert len(neutral) == len(data), name


def test_grey_of_16_bits_is_scaled_as_chromium_does(painted) -> None:
    files, pictures = painted
    image = load_image(files["grey 16"], name="x", limits=DEFAULT_LIMITS)
    assert np.array_equal(np.asarray(image), pictures["grey 16"][0])


def job(tmp_path, data, mask_size, suffix="jpg"):
    (tmp_path / f"a.{suffix}").write_bytes(data)
    mask = np.zeros(mask_size[::-1], np.uint8)
    mask[:2, :3] = 1
    image = Image.fromarray(mask)
    image.putpalette([255, 255, 255, 0x2C, 0xA0, 0x2C])
    image.save(tmp_path / "m.png")
    colors = {
        "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"},
        "1": {"class-name": "road", "hex-color": "#2ca02c"},
    }
    line = {
        "source-ref": f"a.{suffix}",
        "m-ref": "m.png",
        "m-ref-metadata": {"internal-color-map": colors, "type": "groundtruth/semantic-segmentation"},
    }
    (tmp_path / "output.manifest").write_text(json.dumps(line))
    return tmp_path


def _part(data: bytes, offset: int, length: int) -> bytes:
    return data[offset : offset + length]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rule", ["stored", "upright"])
def test_item_dataset_and_export_agree(name, rule: Orientation, tmp_path: Path) -> None:
    data, value = CASES[name]
    suffix = name.partition(" ")[0].replace("jpeg", "jpg")
    plain = load_image(data, name=name, limits=DEFAULT_LIMITS)
    sizes = [(32, 16), (16, 32)] if value >= 5 else [(32, 16)]
    for size in sizes:
        folder = tmp_path / f"{size[0]}"
        folder.mkdir()
        manifest = read_manifest(job(folder, data, size, suffix), orientation=rule)
        upright = size == (16, 32) if value >= 5 else rule == "upright"
        wanted = np.asarray(turn(plain, value) if upright else plain)
        (item,) = manifest
        assert np.array_equal(np.asarray(item.image()), wanted)
        image, mask = SegmentationDataset(manifest)[0]
        assert np.array_equal(np.asarray(image).transpose(1, 2, 0), wanted)
        assert np.asarray(mask).shape == wanted.shape[:2]
        export(manifest, folder / "out")
        (written,) = (folder / "out/images").iterdir()
        assert near(np.asarray(Image.open(written)), wanted)
        assert near(np.asarray(ImageOps.exif_transpose(Image.open(written))), wanted)
        codes = {p.code for p in check(manifest).problems if p.severity != "info"}
        assert ("exif-orientation" in codes) == (value in (2, 3, 4)), codes
        assert "size-mismatch" not in codes


def test_squares_and_wrong_sizes(tmp_path: Path) -> None:
    square = jpeg_of((32, 32), b"Exif\0\0" + exif_note(6))
    (tmp_path / "s").mkdir()
    manifest = read_manifest(job(tmp_path / "s", square, (32, 32)))
    assert "exif-orientation" in {p.code for p in check(manifest).problems}
    (tmp_path / "w").mkdir()
    manifest = read_manifest(job(tmp_path / "w", CASES["jpeg 6"][0], (30, 16)))
    assert "size-mismatch" in {p.code for p in check(manifest).problems}
    with pytest.raises(MaskError, match="they must be equal"):
        export(manifest, tmp_path / "out")


def test_a_cameras_second_picture_and_profiles_are_kept(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    buffer = io.BytesIO()
    first, second = quarters((32, 16)), quarters((16, 8))
    first.save(buffer, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(buffer.getvalue())).format == "MPO"
    (tmp_path / "mpo").mkdir()
    export(read_manifest(job(tmp_path / "mpo", buffer.getvalue(), (32, 16))), tmp_path / "a", format="voc")
    (written,) = (tmp_path / "a/VOCdevkit/VOC2012/JPEGImages").iterdir()
    assert written.read_bytes() == buffer.getvalue()
    png = io.BytesIO()
    first.save(png, "PNG", icc_profile=profile)
    (tmp_path / "icc").mkdir()
    export(
        read_manifest(job(tmp_path / "icc", png.getvalue(), (32, 16), "png")), tmp_path / "b", format="voc"
    )
    (written,) = (tmp_path / "b/VOCdevkit/VOC2012/JPEGImages").iterdir()
    assert Image.open(written).info["icc_profile"] == profile


def test_the_handlers_reader_of_headers_agrees() -> None:
    """It ships alone into AWS Lambda, so it can't share the function: it is held to the same pictures."""
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2] / "lambda"))
    try:
        from labeling_job.preflight.headers import read_header
    finally:
        sys.path.pop(0)
    for name, (data, wanted) in CASES.items():
        found = read_header(partial(_part, data)).orientation
        assert found == wanted, name
