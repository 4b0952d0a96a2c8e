"""Photographs beside their masks: which are passed on byte for byte, which are written anew, and how."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import LimitError, MaskError, Storage, export, read_manifest
from ground_truth_labels.align import aligned_image, image_header
from ground_truth_labels.limits import Limits
from tests.labels.sets import COLORS, ROWS, labeled, mask

# The other Pythons of `make pythons` have no OpenCV.
cv2 = pytest.importorskip("cv2")

#: Pillow's name → suffix of a file that is passed on.
KEPT = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif"}
MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "RGBA", "P", "L", "1", "I;16"),
    "GIF": ("P",),
}


def photograph(kind, mode="RGB", size=(3, 2), **options):
    """A small picture of one colour, as a file, and its colour as a browser shows it."""
    picture = Image.new("RGB", size, (200, 60, 90))
    if mode == "I;16":
        picture = Image.fromarray(np.full(size[::-1], 40_000, np.uint16))
    elif mode == "RGBA":
        picture.putalpha(255)
    else:
        picture = picture.convert(mode, palette=Image.Palette.ADAPTIVE)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def item_of(folder, data, suffix, **options):
    labeled(folder, f"a{suffix}", mask(ROWS, COLORS))
    (folder / f"a{suffix}").write_bytes(data)
    return read_manifest(folder, **options)[0]


CASES = [(kind, mode) for kind in KEPT for mode in MODES.get(kind, ("RGB",))]


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_a_picture_is_its_own_file_where_a_layout_takes_it(kind: str, mode: str, tmp_path: Path) -> None:
    data = photograph(kind, mode)
    file = aligned_image(item_of(tmp_path / "job", data, KEPT[kind]), (2, 3))
    assert file.data == data and file.verbatim and file.suffix == KEPT[kind]
    assert (file.width, file.height) == (3, 2)


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_where_a_layout_takes_jpegs_alone_all_else_is_written_anew(
    kind: str, mode: str, tmp_path: Path
) -> None:
    data = photograph(kind, mode)
    file = aligned_image(item_of(tmp_path / "job", data, KEPT[kind]), (2, 3), jpeg=True)
    assert file.suffix == ".jpg" and file.verbatim == (kind == "JPEG") == (file.data == data)
    pixels = cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None and pixels.shape == (2, 3, 3)
    shown = {"L": 105, "1": None, "I;16": 155}.get(mode, (90, 60, 200))
    if shown is not None and mode != "CMYK":
        assert np.abs(pixels.astype(int) - shown).max() <= 3


def test_an_unknown_format_becomes_a_png(tmp_path: Path) -> None:
    """Pillow reads it, and nobody's training code looks for its suffix."""
    data = photograph("PPM")
    file = aligned_image(item_of(tmp_path / "job", data, ".ppm"), (2, 3))
    assert file.suffix == ".png" and not file.verbatim
    pixels = cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None and (pixels == (90, 60, 200)).all()


@pytest.mark.parametrize("size", [(3, 3), (2, 3), (6, 4), (1, 2)])
def test_sizes_that_differ_are_an_error_with_both(size, tmp_path: Path) -> None:
    item = item_of(tmp_path / "job", photograph("PNG", size=size), ".png")
    with pytest.raises(MaskError, match=rf"line 1: a\.png: image has {size[0]} x {size[1]} pixels, mask 3"):
        aligned_image(item, (2, 3))


@pytest.mark.parametrize(
    "data", [b"", b"no image", photograph("PNG")[:20], photograph("JPEG")[:10], b"GIF89a"]
)
def test_what_is_no_image_is_named(data: bytes, tmp_path: Path) -> None:
    item = item_of(tmp_path / "job", data, ".png")
    with pytest.raises(MaskError, match=r"line 1: a\.png: cannot be decoded as an image"):
        aligned_image(item, (2, 3))
    with pytest.raises(MaskError, match="cannot be decoded as an image"):
        export(read_manifest(tmp_path / "job"), tmp_path / "out")


def test_pixels_above_the_limit_are_not_decoded(tmp_path: Path) -> None:
    data = photograph("PNG", size=(40, 30))
    assert image_header(data, name="n", limits=Limits(pixels=1_200)).width == 40
    with pytest.raises(LimitError, match="n: has 40 x 30 pixels, limit 1,199"):
        image_header(data, name="n", limits=Limits(pixels=1_199))
    item = item_of(tmp_path / "job", data, ".png", storage=Storage(limits=Limits(pixels=1_199)))
    with pytest.raises(LimitError, match=r"a\.png: has 40 x 30 pixels"):
        aligned_image(item, (30, 40))


def test_a_header_says_what_the_file_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    header = image_header(photograph("JPEG", exif=exif), name="n")
    assert (header.format, header.width, header.height, header.orientation) == ("JPEG", 3, 2, 6)
    assert image_header(photograph("WEBP"), name="n").format == "WEBP"


def test_written_pictures_keep_their_neighbours_names(tmp_path: Path) -> None:
    """Two photographs of one name in two formats don't take each other's place."""
    folder = tmp_path / "job"
    labeled(folder, "a.png", mask(ROWS, COLORS))
    first = json.loads((folder / "output.manifest").read_text())
    lines = [first, {**first, "source-ref": "b/a.jpg"}]
    (folder / "output.manifest").write_text("".join(json.dumps(each) + "\n" for each in lines))
    (folder / "b").mkdir()
    (folder / "a.png").write_bytes(photograph("PNG"))
    (folder / "b/a.jpg").write_bytes(photograph("JPEG"))
    export(folder, tmp_path / "out", format="voc")
    names = sorted(path.name for path in (tmp_path / "out/VOCdevkit/VOC2012/JPEGImages").iterdir())
    assert len(set(names)) == 2 and all(name.endswith(".jpg") for name in names)
