from __future__ import annotations

import gc
import io
import pickle
import struct
import zlib
from typing import Never

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import LimitError, Limits, MaskError, UnknownColorError
from ground_truth_labels.colormap import ColorTable
from ground_truth_labels.decode import Unknown, decode, decode_mask

TABLE = ColorTable(((0xFFFFFF, 0), (0x2CA02C, 1), (0xD62728, 2)), 0)


def png(array, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.fixture
def odd():
    """Three pixels of a colour that no class has."""
    array = np.full((6, 8, 3), 255, np.uint8)
    array[1, 1:4] = (1, 2, 3)
    array[4] = (0x2C, 0xA0, 0x2C)
    return png(array)


def test_unknown_colours_are_named_with_their_pixels(odd) -> None:
    with pytest.raises(UnknownColorError, match=r"a\.png: 3 pixels .* #010203 \(3 pixels\)") as caught:
        decode_mask(odd, TABLE, name="a.png")
    assert caught.value.colors == (("#010203", 3),)
    assert not caught.value.resampled
    assert pickle.loads(pickle.dumps(caught.value)).pixels == 3


@pytest.mark.parametrize(("policy", "value"), [("ignore", 255), ("background", 0)])
def test_policies(odd, policy: Unknown, value: int) -> None:
    mask = decode_mask(odd, TABLE, unknown=policy)
    assert (mask[1, 1:4] == value).all()
    assert (mask[4] == 1).all()


def test_a_noisy_mask_takes_the_other_path_and_decodes_equal() -> None:
    ids = np.random.default_rng(0).integers(0, 3, (50, 70))
    rgb = np.array([[255, 255, 255], [0x2C, 0xA0, 0x2C], [0xD6, 0x27, 0x28]], np.uint8)
    assert np.array_equal(decode_mask(png(rgb[ids]), TABLE), ids)


def test_resized_masks_are_recognised() -> None:
    array = np.full((64, 64, 3), 255, np.uint8)
    array[16:40, 16:40] = (0x2C, 0xA0, 0x2C)
    array[30:60, 30:60] = (0xD6, 0x27, 0x28)
    image = Image.fromarray(array).resize((91, 91), Image.Resampling.BILINEAR)
    with pytest.raises(UnknownColorError, match="anti-aliased, resized") as caught:
        decode_mask(png(np.asarray(image)), TABLE)
    assert caught.value.resampled


def test_greyscale_masks_decode_by_their_grey() -> None:
    table = ColorTable(((0x000000, 0), (0x808080, 1)), 0)
    assert decode_mask(png(np.array([[0, 128]], np.uint8)), table).tolist() == [[0, 1]]


def _bomb(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.attack("whoever sends finished labels", "the reader's memory")
def test_a_zip_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(LimitError, match=r"b\.png: announces 60,000 x 60,000 pixels"):
        decode_mask(_bomb(60_000, 60_000), TABLE, name="b.png")


@pytest.mark.attack("whoever sends finished labels", "the reader's memory")
def test_the_pixel_limit_can_be_set(odd) -> None:
    with pytest.raises(LimitError):
        decode_mask(odd, TABLE, limits=Limits(pixels=10))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + b"x" * 40])
def test_what_is_no_png_is_said(data) -> None:
    with pytest.raises(MaskError, match="must be a PNG"):
        decode_mask(data, TABLE)


def test_a_cut_off_png_is_said(odd) -> None:
    with pytest.raises(MaskError, match="broken PNG"):
        decode_mask(odd[:60], TABLE)


def test_looking_up_is_indexing_whatever_the_size_and_the_table() -> None:
    """Words of eight pixels, their rest, noise, runs, tables that are the identity and that know less."""
    from ground_truth_labels._lookup import look_up

    rng = np.random.default_rng(11)
    for round_ in range(600):
        size, classes = int(rng.integers(1, 90)), int(rng.integers(1, 257))
        indices = np.repeat(rng.integers(0, classes, size), rng.integers(1, 30)).astype(np.uint8)
        indices = indices[: int(rng.integers(1, indices.size + 1))]
        known = np.arange(256) if round_ % 3 == 0 else rng.permutation(256)
        sentinel = int(rng.integers(0, 256))
        table = np.where(np.arange(256) < rng.integers(1, 257), known, sentinel).astype(np.uint8)
        ids = indices.copy()
        complete = look_up(ids, table.tobytes(), sentinel)
        assert np.array_equal(ids, table[indices])
        assert complete == (sentinel not in table[indices])


@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_ids_that_took_the_place_of_the_picture_are_the_callers_own(mode: str) -> None:
    """Where nobody sees the picture, its memory becomes the mask's."""
    ids = np.random.default_rng(2).integers(0, 2, (90, 70)).astype(np.uint8)
    image = Image.fromarray(ids * 255).convert(mode)
    if mode == "P":
        image = Image.fromarray(1 - ids)
        image.putpalette([255, 255, 255, 0, 0, 0])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    table = ColorTable(((0x000000, 0), (0xFFFFFF, 1)), 0)
    mask, again = decode_mask(buffer.getvalue(), table), decode_mask(buffer.getvalue(), table)
    del image
    gc.collect()
    # What would now be free is taken by others, if it is.
    others = [Image.new("L", (70, 90), 9) for _ in range(50)]
    again[:] = 7
    assert np.array_equal(mask, ids) and mask.flags.c_contiguous and mask.flags.writeable
    assert np.array_equal(pickle.loads(pickle.dumps(mask)), ids)
    kept = decode(buffer.getvalue(), table)
    kept.ids[:] = 7
    assert len(others) == 50 and np.array_equal(np.asarray(kept.image.convert("L")) == 255, ids)


def test_a_palettes_unknown_colours_are_named_after_the_ids_took_its_place() -> None:
    image = Image.fromarray(np.array([[1, 0, 2, 2]], np.uint8))
    image.putpalette([0x2C, 0xA0, 0x2C, 255, 255, 255, 1, 2, 3])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    with pytest.raises(UnknownColorError, match=r"#010203 \(2 pixels\)"):
        decode_mask(buffer.getvalue(), TABLE)
    assert decode_mask(buffer.getvalue(), TABLE, unknown="ignore").tolist() == [[0, 1, 255, 255]]


def test_a_picture_in_several_pieces_is_read_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    from ground_truth_labels import _pixels

    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 5, (9, 13)).astype(np.uint8)
    image = Image.fromarray(pixels)
    shared = _pixels.index_pixels(image, copy=True)
    monkeypatch.setattr(Image.Image, "__arrow_c_array__", _refused, raising=False)
    for copy in (False, True):
        found = _pixels.index_pixels(image, copy=copy)
        assert np.array_equal(found, shared) and found.flags.writeable
    assert np.array_equal(shared, pixels.ravel())
    rgba = image.convert("RGBA")
    assert np.array_equal(_pixels.packed_pixels(rgba)[0].view(np.uint8), np.asarray(rgba).ravel())


def _refused(self, schema=None) -> Never:
    raise ValueError("several blocks")
