"""Image files, most of them made of one photograph."""

from __future__ import annotations

import functools
import io
import struct
import zlib

from PIL import Image
from skimage import data

# First column and row, and steps, of each pass.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@functools.cache
def photo(size: tuple[int, int] = (96, 64)) -> Image.Image:
    return Image.fromarray(data.astronaut()).resize(size)


@functools.cache
def jpeg(mode: str = "RGB", orientation: int = 0, **options) -> bytes:
    return _saved("JPEG", mode, orientation, options)


@functools.cache
def png(mode: str = "RGB", orientation: int = 0, **options) -> bytes:
    return _saved("PNG", mode, orientation, options)


@functools.cache
def other(kind: str) -> bytes:
    return _saved(kind, "RGB", 0, {})


def _saved(kind: str, mode: str, orientation: int, options: dict) -> bytes:
    buffer = io.BytesIO()
    if orientation:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {**options, "exif": exif}
    image = photo().convert("L").convert("I;16") if mode == "I;16" else photo().convert(mode)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bare_png(
    width: int, height: int, *, depth: int = 1, colour: int = 0, interlace: int = 0, pad: int = 0
) -> bytes:
    """A black PNG; where its header is legal its pixels are whole."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    squeeze, body = zlib.compressobj(), b""
    for columns, rows in sizes:
        if columns > 0:
            line = bytes(1 + -(-columns * depth // 8))
            body += b"".join(squeeze.compress(line) for _ in range(max(0, rows)))
    pixels = body + squeeze.flush()
    text = chunk(b"tEXt", b"Comment\0" + b"x" * pad) if pad else b""
    return SIGNATURE + chunk(b"IHDR", header) + text + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_frame(marker: int, *, precision: int = 8, height: int | None = None) -> bytes:
    """The photograph as JPEG, its start-of-frame changed."""
    whole = bytearray(jpeg())
    at = whole.index(b"\xff\xc0\x00\x11")
    whole[at + 1], whole[at + 4] = marker, precision
    if height is not None:
        whole[at + 5 : at + 7] = struct.pack(">H", height)
    return bytes(whole)


def with_segments(*bodies: bytes, marker: int = 0xE2) -> bytes:
    """The photograph as JPEG with application segments before its frame."""
    whole = jpeg()
    segments = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(b) + 2) + b for b in bodies)
    return whole[:2] + segments + whole[2:]
