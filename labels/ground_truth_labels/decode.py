"""Masks to class ids: by colour, never by palette index, at about the speed of bare PNG decoding."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from ._pixels import packed_pixels
from ._unknown import unknown_colors_error
from .classes import IGNORE
from .colormap import ColorTable
from .errors import LimitError, MaskError
from .limits import DEFAULT_LIMITS, Limits

MaskArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""Class ids, shape (height, width)."""

Unknown = Literal["error", "ignore", "background"]
"""What a colour outside the map becomes: an `UnknownColorError`, 255, or the background."""

_TRANSPARENT = 1 << 24
_local = threading.local()


def decode_mask(
    data: bytes,
    table: ColorTable,
    *,
    unknown: Unknown = "error",
    name: str = "mask",
    limits: Limits = DEFAULT_LIMITS,
) -> MaskArray:
    """Decode a PNG mask (RGB, RGBA, palette or grey, with or without transparency).

    Args:
        data: The bytes of the PNG.
        table: Colours and ids. Fully transparent pixels are background whatever their colour.
        unknown: What to do with other colours. Default: an error.
        name: How to call the file in errors.
        limits: Pixels above which nothing is decoded.

    Returns:
        Ids, shape (height, width), `uint8` (`uint16` for more than 254 classes).

    Raises:
        LimitError: The header announces more pixels than the limit.
        MaskError: Not a PNG, or a broken one.
        UnknownColorError: Colours that the table does not have.
    """
    image = open_png(data, name=name, limits=limits)
    sentinel = _sentinel(table)
    ids, complete = (_from_palette if image.mode in "LP1" else _from_rgb)(image, table, sentinel)
    if complete:
        return ids
    bad = ids == sentinel
    if unknown == "error":
        raise unknown_colors_error(image, bad, [c for c, _ in table.ids], name)
    ids[bad] = IGNORE if unknown == "ignore" else table.background
    return ids


def open_png(data: bytes, *, name: str = "mask", limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """A loaded PNG in mode P, L, RGB or RGBA, its size checked before any pixel is decoded.

    Raises:
        LimitError: Too many pixels.
        MaskError: Not a PNG, or a broken one.
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 24:
        raise MaskError(f"{name}: must be a PNG, starts with {data[:8]!r}")
    width, height = struct.unpack(">II", data[16:24])
    if width * height > limits.pixels:
        raise LimitError(
            f"{name}: announces {width:,} x {height:,} pixels, the limit is {limits.pixels:,}; "
            "nothing was decoded"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaskError(f"{name}: is a broken PNG: {error}") from error
    if image.mode == "LA" or (image.mode == "RGB" and "transparency" in image.info):
        return image.convert("RGBA")
    return image if image.mode in ("P", "L", "1", "RGB", "RGBA") else image.convert("RGB")


def _sentinel(table: ColorTable) -> int:
    """A value that no id has; 255 unless the background is 255."""
    used = {table.background, *(i for _, i in table.ids)}
    top = 65_535 if table.wide else 255
    return next(i for i in range(top, -1, -1) if i not in used)


def _from_palette(image: Image.Image, table: ColorTable, sentinel: int) -> tuple[MaskArray, bool]:
    """Ids, and whether none of them is the sentinel."""
    known = dict(table.ids)
    lut = [known.get(color, sentinel) for color in _palette_colors(image)]
    for index in _transparent_indices(image):
        lut[index] = table.background
    lut += [sentinel] * (256 - len(lut))
    if image.mode == "1":
        image = image.convert("L")
    shape = (image.height, image.width)
    if table.wide:
        wide: MaskArray = np.array(lut, np.uint16)[np.asarray(image)]
        return wide, not (wide == sentinel).any()
    pixels = image.tobytes()
    top = int(np.frombuffer(pixels, np.uint8).max())
    if lut[: top + 1] != list(range(top + 1)):
        # The indices aren't the ids already. bytes.translate is the fastest 256-entry lookup there is.
        pixels = pixels.translate(bytes(lut))
    # bytearray keeps the array writable.
    return np.frombuffer(bytearray(pixels), np.uint8).reshape(shape), sentinel not in pixels


def _palette_colors(image: Image.Image) -> list[int]:
    if image.mode != "P":
        return [i * 0x010101 for i in range(256)]
    flat = image.getpalette("RGB") or []
    return [(flat[i] << 16) | (flat[i + 1] << 8) | flat[i + 2] for i in range(0, len(flat) - 2, 3)]


def _transparent_indices(image: Image.Image) -> list[int]:
    transparency = image.info.get("transparency")
    if isinstance(transparency, bytes):
        return [i for i, alpha in enumerate(transparency) if alpha == 0 and i < 256]
    return [transparency] if isinstance(transparency, int) and 0 <= transparency < 256 else []


def _from_rgb(image: Image.Image, table: ColorTable, sentinel: int) -> tuple[MaskArray, bool]:
    """Ids, and whether none of them is the sentinel."""
    alpha = image.mode == "RGBA"
    packed, owner = packed_pixels(image)
    starts = np.flatnonzero(packed[1:] != packed[:-1])
    if starts.size > packed.size // 16:
        ids = _lookup(packed, table, sentinel, alpha=alpha)
        return ids.reshape(image.height, image.width), not (ids == sentinel).any()
    # Masks are long runs of one colour: look up one pixel of each, and repeat.
    starts += 1
    edges = np.concatenate((np.zeros(1, np.intp), starts, np.full(1, packed.size, np.intp)))
    values = _lookup(packed[edges[:-1]], table, sentinel, alpha=alpha)
    ids = cast(MaskArray, np.repeat(values, np.diff(edges)))
    del packed, owner
    return ids.reshape(image.height, image.width), not (values == sentinel).any()


def _lookup(packed: npt.NDArray[np.uint32], table: ColorTable, sentinel: int, *, alpha: bool) -> MaskArray:
    lut = _table_for_thread(table.wide, sentinel)
    colors = np.array([_swap(c) for c, _ in table.ids], np.intp)
    lut[colors] = [i for _, i in table.ids]
    try:
        ids: MaskArray = lut.take(packed & 0xFFFFFF)
    finally:
        lut[colors] = sentinel
    if alpha:
        ids[packed < _TRANSPARENT] = table.background
    return ids


def _table_for_thread(wide: bool, sentinel: int) -> MaskArray:
    """One entry for each 24-bit colour, filled with the sentinel; kept, since filling it costs 4 ms."""
    key = f"lut{wide}{sentinel}"
    if not hasattr(_local, key):
        setattr(_local, key, np.full(1 << 24, sentinel, np.uint16 if wide else np.uint8))
    return cast(MaskArray, getattr(_local, key))


def _swap(color: int) -> int:
    """0xRRGGBB as the bytes R, G, B lie in a little-endian integer."""
    return (color & 0xFF) << 16 | color & 0xFF00 | color >> 16
