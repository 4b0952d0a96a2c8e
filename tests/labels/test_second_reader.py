"""The reader that repairs are held against: as a third one reads, and silent about nothing that is wrong."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ground_truth_labels import RepairError
from ground_truth_labels._png_indices import read_indexed
from ground_truth_labels._readback import compare
from ground_truth_labels.colormap import parse_internal_color_map
from ground_truth_labels.errors import MaskError
from tests.labels.independent import read_png
from tests.labels.test_any_png import Written

MAP = {
    "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"},
    "1": {"class-name": "road", "hex-color": "#800000"},
    "2": {"class-name": "car", "hex-color": "#000080"},
}
PALETTE = [(255, 255, 255), (128, 0, 0), (0, 0, 128)]


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def file(rows, *, head=(8, 3, 0, 0, 0), palette=PALETTE, filters=None, size=None):
    """A palette PNG of these indices; what a part says may be another thing than what is there."""
    height, width = size or (len(rows), len(rows[0]))
    stream = b"".join(bytes([kind, *row]) for kind, row in zip(filters or [0] * len(rows), rows, strict=True))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *head))
        + chunk(b"PLTE", bytes(value for color in palette for value in color))
        + chunk(b"IDAT", zlib.compress(stream))
        + chunk(b"IEND", b"")
    )


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 9).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 255), min_size=width, max_size=width), min_size=1, max_size=7
        )
    ),
    filters=st.integers(0, 4),
    size=st.integers(1, 256),
)
def test_indices_and_palette_are_those_that_a_third_reader_finds(rows, filters: int, size: int) -> None:
    palette = [(i, 255 - i, i * 7 % 256) for i in range(size)]
    written = Written(np.array(rows)[..., None], 3, 8, palette, filters=filters)
    found = read_indexed(written.png(), "x")
    assert found.indices.tolist() == rows == read_png(written.png()).indices.tolist()
    assert list(found.palette) == [r << 16 | g << 8 | b for r, g, b in palette]


@pytest.mark.parametrize("side", [(1, 1), (1, 700), (700, 1), (64, 64)])
@pytest.mark.parametrize("optimize", [False, True])
def test_what_pillow_writes_is_read(side: tuple[int, int], optimize: bool) -> None:
    indices = np.random.default_rng(1).integers(0, 40, side).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(bytes(range(120)))
    buffer = io.BytesIO()
    # With 40 entries an index has eight bits, optimized or not, so the values stay comparable by colour.
    image.save(buffer, "PNG", optimize=optimize)
    found = read_indexed(buffer.getvalue(), "x")
    rgb = np.array([[color >> 16, color >> 8 & 255, color & 255] for color in found.palette])
    assert (rgb[found.indices] == np.asarray(image.convert("RGB"))).all()


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        (b"", "not a PNG"),
        (b"GIF89a" + file([[0]]), "not a PNG"),
        (b"\x89PNG\n\x1a\n" + file([[0]])[8:], "not a PNG"),
        (file([[0]], head=(8, 0, 0, 0, 0)), r"not a palette PNG of 8 bits: \[8, 0, 0, 0, 0\]"),
        (file([[0]], head=(4, 3, 0, 0, 0)), r"not a palette PNG of 8 bits: \[4, 3, 0, 0, 0\]"),
        (file([[0]], head=(8, 3, 0, 0, 1)), r"not a palette PNG of 8 bits: \[8, 3, 0, 0, 1\]"),
        (file([[0]], head=(8, 3, 1, 0, 0)), "not a palette PNG of 8 bits"),
        (file([[0]], head=(8, 3, 0, 1, 0)), "not a palette PNG of 8 bits"),
        (file([[0, 1]], filters=[5]), "a filter of type 5"),
        (file([[0, 1], [1, 0]], filters=[0, 255]), "a filter of type 255"),
        (file([[0, 1]], size=(2, 2)), "reshape"),
        (file([[0, 1]], size=(1, 1)), "reshape"),
        (file([[0, 1]], size=(1, 0)), "reshape"),
        (file([[0, 1]])[:-12], "unpack"),
        (file([[0, 1]]).replace(b"IDAT", b"IDAX"), "the checksum of b'IDAX' is wrong"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_no_repair_writes_is_named(spoiled: bytes, said: str) -> None:
    with pytest.raises(MaskError, match=rf"^place: cannot be read back: .*{said}"):
        read_indexed(spoiled, "place")


def test_no_changed_byte_reads_as_another_mask() -> None:
    whole = file([[0, 1, 2], [2, 1, 0]], filters=[1, 4])
    wanted = read_indexed(whole, "x")
    for at in range(len(whole)):
        for flip in (1, 0x20, 0xFF):
            with pytest.raises(MaskError, match="cannot be read back"):
                read_indexed(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :], "x")
    # What follows the last chunk is nobody's, as the specification has it.
    assert read_indexed(whole + b"more", "x").indices.tolist() == wanted.indices.tolist()


def held(original, copy, *, alpha="visible", colors=MAP, copied=MAP, meaning=str):
    compare(
        original,
        copy,
        colors=parse_internal_color_map(colors, "x"),
        copied_colors=parse_internal_color_map(copied, "x"),
        alpha=alpha,
        where="line 1: m.png",
        meaning=meaning,
    )


def rgba(rows):
    return Image.fromarray(np.array(rows, np.uint8))


ROAD, CAR, PAPER, CLEAR = (128, 0, 0, 255), (0, 0, 128, 255), (255, 255, 255, 255), (0, 0, 0, 0)


def test_as_many_pixels_are_told_as_differ() -> None:
    original = rgba([[ROAD, CAR, PAPER, CLEAR]])
    held(original, file([[1, 2, 0, 0]]))
    for wrong, count in (([0, 2, 0, 0], 1), ([2, 1, 0, 0], 2), ([2, 1, 1, 0], 3), ([2, 1, 2, 1], 4)):
        with pytest.raises(RepairError, match=rf"^line 1: m.png: {count} pixels of the copy read as another"):
            held(original, file([wrong]))


@pytest.mark.parametrize("shape", [(2, 2), (4, 1)])
def test_a_copy_of_another_size_is_told_before_its_pixels(shape: tuple[int, int]) -> None:
    height, width = shape
    with pytest.raises(RepairError, match="the copy has another size"):
        held(rgba([[ROAD] * 4]), file([[1] * width] * height))


@pytest.mark.parametrize(
    ("opacity", "visible", "opaque", "color"),
    [(255, 1, 1, 1), (254, 1, 0, 1), (1, 1, 0, 1), (0, 0, 0, 1)],
)
def test_transparency_counts_as_the_original_is_read(
    opacity: int, visible: int, opaque: int, color: int
) -> None:
    original = rgba([[(128, 0, 0, opacity)]])
    for alpha, index in (("visible", visible), ("opaque", opaque), ("color", color)):
        held(original, file([[index]]), alpha=alpha)
        with pytest.raises(RepairError, match="1 pixels"):
            held(original, file([[1 - index]]), alpha=alpha)


def test_the_right_index_in_a_wrong_colour_is_told() -> None:
    """A reader by colour sees what a reader by index doesn't."""
    swapped = [PALETTE[0], PALETTE[2], PALETTE[1]]
    with pytest.raises(RepairError, match="2 pixels"):
        held(rgba([[ROAD, CAR, PAPER]]), file([[1, 2, 0]], palette=swapped))


@pytest.mark.parametrize("index", [3, 30, 255])
@pytest.mark.parametrize("pixel", [ROAD, CLEAR, (9, 9, 9, 255)], ids=str)
def test_an_index_beyond_the_palette_is_told(index: int, pixel) -> None:
    """It was an IndexError, and the copy stayed where it was."""
    more = {**MAP, "30": {"class-name": "tree", "hex-color": "#00ff00"}}
    with pytest.raises(RepairError, match="1 pixels"):
        held(rgba([[pixel]]), file([[index]]), copied=more)


def test_colours_that_nobody_knows_stay_nobodys() -> None:
    original, wide = rgba([[(9, 9, 9, 255), ROAD]]), [*PALETTE, (9, 9, 9)]
    held(original, file([[3, 1]], palette=wide))
    for taken in (0, 1, 2):
        with pytest.raises(RepairError, match="1 pixels"):
            held(original, file([[taken, 1]], palette=wide))
    # Unless they become background, as a reader that was told so takes them.
    held(original, file([[0, 1]]), meaning=lambda name: name or "BACKGROUND")


@settings(max_examples=100, deadline=None)
@given(
    pixels=st.lists(st.sampled_from([ROAD, CAR, PAPER, CLEAR]), min_size=1, max_size=12),
    seed=st.integers(0, 2**16),
)
def test_of_any_two_pictures_the_pixels_that_differ_are_counted(pixels, seed: int) -> None:
    right = [{ROAD: 1, CAR: 2}.get(pixel, 0) for pixel in pixels]
    chance = np.random.default_rng(seed)
    shown = [index if chance.random() < 0.7 else int(chance.integers(3)) for index in right]
    differing = sum(a != b for a, b in zip(right, shown, strict=True))
    if differing:
        with pytest.raises(RepairError, match=f": {differing} pixels"):
            held(rgba([pixels]), file([shown]))
    else:
        held(rgba([pixels]), file([shown]))
