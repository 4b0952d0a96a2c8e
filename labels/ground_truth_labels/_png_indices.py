"""A second way to read a palette PNG, which shares nothing with Pillow: what a repair wrote is read by it.

It reads what the PNG specification calls colour type 3 with 8 bits and no interlace, as `repair` writes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .errors import MaskError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class IndexedPng:
    """Palette indices, shape (height, width), and the number of entries that the palette has."""

    indices: npt.NDArray[np.uint8] = field(repr=False)
    palette: tuple[int, ...]


def read_indexed(data: bytes, name: str) -> IndexedPng:
    """The indices and the palette (`0xRRGGBB`).

    Raises:
        MaskError: Another kind of PNG, or a broken one.
    """
    try:
        return _read(data)
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        raise MaskError(f"{name}: cannot be read back: {error}") from error


def _read(data: bytes) -> IndexedPng:
    if not data.startswith(_SIGNATURE):
        raise ValueError("not a PNG")
    header, palette, compressed = b"", b"", []
    for kind, body in _chunks(data):
        if kind == b"IHDR":
            header = body
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            compressed.append(body)
    width, height, *form = struct.unpack(">IIBBBBB", header)
    if form != [8, 3, 0, 0, 0]:
        raise ValueError(f"not a palette PNG of 8 bits: {form}")
    rows = np.frombuffer(zlib.decompress(b"".join(compressed)), np.uint8).reshape(height, width + 1)
    colors = tuple(int.from_bytes(palette[i : i + 3], "big") for i in range(0, len(palette), 3))
    return IndexedPng(_unfilter(rows[:, 0], rows[:, 1:]), colors)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[offset : offset + 8])
        body = data[offset + 8 : offset + 8 + length]
        (crc,) = struct.unpack(">I", data[offset + 8 + length : offset + 12 + length])
        if zlib.crc32(kind + body) != crc:
            raise ValueError(f"the checksum of {kind!r} is wrong")
        yield kind, body
        offset += 12 + length


def _unfilter(filters: npt.NDArray[np.uint8], rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if not filters.any():
        return rows
    out = rows.copy()
    above = np.zeros(rows.shape[1], np.uint8)
    for number, row in zip(filters.tolist(), out, strict=True):
        if number == 1:
            # Sums of bytes wrap as the specification wants.
            row[:] = np.add.accumulate(row, dtype=np.uint8)
        elif number == 2:
            row += above
        elif number in (3, 4):
            _by_pixel(number, row, above)
        elif number:
            raise ValueError(f"a filter of type {number}")
        above = row
    return out


def _by_pixel(number: int, row: npt.NDArray[np.uint8], above: npt.NDArray[np.uint8]) -> None:
    left = corner = 0
    values, ups = row.tolist(), above.tolist()
    for x, up in enumerate(ups):
        if number == 3:
            guess = (left + up) // 2
        else:
            estimate = left + up - corner
            near = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
            guess = (left, up, corner)[near.index(min(near))]
        left = values[x] = (values[x] + guess) & 255
        corner = up
    row[:] = values
