"""Masks to class ids: by colour, never by palette index, at about the speed of bare PNG decoding."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from ._lookup import look_up
from ._palette import OPAQUE, palette_entries, palette_ids
from ._pixels import index_pixels, packed_pixels
from ._unknown import unknown_colors_error
from .classes import IGNORE
from .colormap import ColorTable
from .errors import LimitError, MaskError
from .limits import DEFAULT_LIMITS, Limits

MaskArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""Class ids, shape (height, width)."""

Unknown = Literal["error", "ignore", "background"]
"""What a colour outside the map becomes: an `UnknownColorError`, 255, or the background."""

Alpha = Literal["visible", "opaque", "color"]
"""Which pixels count by their colour: all but the fully transparent, only the fully opaque, or every one.
The others are background."""

_local = threading.local()


@dataclass(frozen=True)
class Decoded:
    """A mask, and what its transparency decided.

    Attributes:
        ids: Class ids, shape (height, width).
        image: The PNG, loaded.
        partly: Class name's colour (`0xRRGGBB`) → pixels of it that are partly transparent.
        hidden: The same for pixels that are fully transparent.
    """

    ids: MaskArray = field(repr=False)
    image: Image.Image = field(repr=False)
    partly: dict[int, int]
    hidden: dict[int, int]


def decode_mask(
    data: bytes,
    table: ColorTable,
    *,
    unknown: Unknown = "error",
    alpha: Alpha = "visible",
    name: str = "mask",
    limits: Limits = DEFAULT_LIMITS,
) -> MaskArray:
    """Decode a PNG mask (RGB, RGBA, palette or grey, with or without transparency).

    Args:
        data: The bytes of the PNG.
        table: Colours and ids.
        unknown: What to do with other colours. Default: an error.
        alpha: Which pixels count by their colour; the others are background. Default: all that are not
            fully transparent, whatever colour hides under these.
        name: How to call the file in errors.
        limits: Pixels above which nothing is decoded.

    Returns:
        Ids, shape (height, width), `uint8` (`uint16` for more than 254 classes).

    Raises:
        LimitError: The header announces more pixels than the limit.
        MaskError: Not a PNG, or a broken one.
        UnknownColorError: Colours that the table does not have.
    """
    # Nobody else sees the picture: the ids may take its place in memory.
    return _decode(data, table, unknown=unknown, alpha=alpha, name=name, limits=limits, keep=False).ids


def decode(
    data: bytes,
    table: ColorTable,
    *,
    unknown: Unknown = "error",
    alpha: Alpha = "visible",
    name: str = "mask",
    limits: Limits = DEFAULT_LIMITS,
) -> Decoded:
    """`decode_mask`, with the picture and the counts that a check wants: one decoding for all of them."""
    return _decode(data, table, unknown=unknown, alpha=alpha, name=name, limits=limits, keep=True)


def _decode(
    data: bytes, table: ColorTable, *, unknown: Unknown, alpha: Alpha, name: str, limits: Limits, keep: bool
) -> Decoded:
    """`keep`: whether the picture stays as it was read."""
    image = open_png(data, name=name, limits=limits)
    found = _Transparency()
    sentinel = table.sentinel
    read = _from_palette if image.mode in "LP1" else _from_rgb
    ids, complete = read(image, table, sentinel, alpha, found, keep=keep)
    if not complete:
        bad = ids == sentinel
        if unknown == "error":
            image = image if keep else open_png(data, name=name, limits=limits)
            raise unknown_colors_error(image, bad, [c for c, _ in table.ids], name)
        ids[bad] = IGNORE if unknown == "ignore" else table.background
    return Decoded(ids, image, found.partly, found.hidden)


class _Transparency:
    """Counts of pixels whose alpha is not 255, by colour."""

    def __init__(self) -> None:
        self.partly: dict[int, int] = {}
        self.hidden: dict[int, int] = {}

    def add(self, colors: Iterable[int], alphas: Iterable[int], counts: Iterable[int]) -> None:
        for color, alpha, count in zip(colors, alphas, counts, strict=True):
            if alpha != OPAQUE and count:
                side = self.partly if alpha else self.hidden
                side[color] = side.get(color, 0) + count


def open_png(data: bytes, *, name: str = "mask", limits: Limits = DEFAULT_LIMITS) -> Image.Image:
    """A loaded PNG in mode P, L, RGB or RGBA, its size checked before any pixel is decoded.

    Raises:
        LimitError: Too many pixels.
        MaskError: Not a PNG, or a broken one, whose checksums tell that a byte isn't what was written.
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 26:
        raise MaskError(f"{name}: must be a PNG, starts with {data[:8]!r}")
    width, height, depth, color_type = struct.unpack(">IIBB", data[16:26])
    if width * height > limits.pixels:
        raise LimitError(
            f"{name}: announces {width:,} x {height:,} pixels, the limit is {limits.pixels:,}; "
            "nothing was decoded"
        )
    if depth == 16 and color_type in (0, 4):
        raise MaskError(f"{name}: is a grey PNG of 16 bits; the colours of a mask have 8 bits a channel")
    _check_sums(data, name)
    try:
        # Filters of warnings are the process's: only where there is one to expect.
        with _no_bomb_warning() if width * height > (Image.MAX_IMAGE_PIXELS or 0) else nullcontext():
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaskError(f"{name}: is a broken PNG: {error}") from error
    clear = image.info.get("transparency")
    if color_type == 0 and depth in (2, 4) and isinstance(clear, int):
        # Pillow scales the greys to 8 bits, and leaves the one that is transparent as it was written.
        image.info["transparency"] = clear * 255 // ((1 << depth) - 1)
    if image.mode == "LA" or (image.mode == "RGB" and "transparency" in image.info):
        return image.convert("RGBA")
    return image if image.mode in ("P", "L", "1", "RGB", "RGBA") else image.convert("RGB")


def _check_sums(data: bytes, name: str) -> None:
    """Pillow skips the checksums of the pixels, and would read a changed byte as other classes."""
    at, view = 8, memoryview(data)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if data[end : end + 4] != zlib.crc32(view[at + 4 : end]).to_bytes(4, "big"):
            kind = data[at + 4 : at + 8].decode("latin-1")
            raise MaskError(f"{name}: is a broken PNG: its part {kind!r} isn't what its checksum says")
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end + 4


@contextmanager
def _no_bomb_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _from_palette(
    image: Image.Image, table: ColorTable, sentinel: int, alpha: Alpha, found: _Transparency, *, keep: bool
) -> tuple[MaskArray, bool]:
    """Ids, and whether none of them is the sentinel."""
    if image.mode == "1":
        image, keep = image.convert("L"), False
    lut, opaque = palette_ids(image, table, sentinel, alpha)
    if not opaque:
        entries = palette_entries(image)
        found.add([c for c, _ in entries], [a for _, a in entries], image.histogram()[: len(entries)])
    if table.wide:
        wide: MaskArray = np.array(lut, np.uint16)[np.asarray(image)]
        return wide, not (wide == sentinel).any()
    ids = index_pixels(image, copy=keep)
    complete = look_up(ids, bytes(lut), sentinel)
    return ids.reshape(image.height, image.width), complete


def _from_rgb(
    image: Image.Image, table: ColorTable, sentinel: int, alpha: Alpha, found: _Transparency, *, keep: bool
) -> tuple[MaskArray, bool]:
    """Ids, and whether none of them is the sentinel; the picture is kept as it is in any case."""
    rule = alpha if image.mode == "RGBA" else None
    packed, owner = packed_pixels(image)
    starts = np.flatnonzero(packed[1:] != packed[:-1])
    if starts.size > packed.size // 16:
        ids = _lookup(packed, table, sentinel, rule)
        if rule:
            _count(packed, np.ones(1, np.intp), found)
        return ids.reshape(image.height, image.width), not (ids == sentinel).any()
    # Masks are long runs of one colour: look up one pixel of each, and repeat.
    starts += 1
    edges = np.concatenate((np.zeros(1, np.intp), starts, np.full(1, packed.size, np.intp)))
    runs, lengths = packed[edges[:-1]], np.diff(edges)
    values = _lookup(runs, table, sentinel, rule)
    if rule:
        _count(runs, lengths, found)
    ids = cast(MaskArray, np.repeat(values, lengths))
    del packed, owner
    return ids.reshape(image.height, image.width), not (values == sentinel).any()


def _count(runs: npt.NDArray[np.uint32], lengths: npt.NDArray[np.intp], found: _Transparency) -> None:
    clear = runs < OPAQUE << 24
    if not clear.any():
        return
    colors, group = np.unique(runs[clear], return_inverse=True)
    counts = np.bincount(group, weights=np.broadcast_to(lengths, runs.shape)[clear])
    found.add(
        (_swap(int(c) & 0xFFFFFF) for c in colors),
        (int(c) >> 24 for c in colors),
        (int(n) for n in counts),
    )


def _lookup(
    packed: npt.NDArray[np.uint32], table: ColorTable, sentinel: int, alpha: Alpha | None
) -> MaskArray:
    lut = _table_for_thread(table.wide, sentinel)
    colors = np.array([_swap(c) for c, _ in table.ids], np.intp)
    lut[colors] = [i for _, i in table.ids]
    try:
        ids: MaskArray = lut.take(packed & 0xFFFFFF)
    finally:
        lut[colors] = sentinel
    if alpha == "color":
        ids[(packed < 1 << 24) & (ids == sentinel)] = table.background
    elif alpha:
        ids[packed < (1 if alpha == "visible" else OPAQUE) << 24] = table.background
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
