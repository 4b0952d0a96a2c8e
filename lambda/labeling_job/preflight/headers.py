"""Format, size and orientation of a JPEG or PNG, from as few bytes of it as will do.

Segments that don't matter (colour profiles, thumbnails, comments) are jumped over, not read. Phones write a
hundred of them for depth and portrait modes, so of each that is jumped to only its own head is read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: So much is read of one image; another KiB is for its end.
BYTES_MAX: Final = 63 * 1024
_FIRST = 8 * 1024
_NEXT = 1024
# So much is read of a segment that is jumped to: 40 MB have room for 611 of the largest segments.
_HEAD = 64

JPEG: Final = "JPEG"
PNG: Final = "PNG"
FORMAT: Final = "format"
BROKEN: Final = "broken"
#: More of it would have to be read than is read of any image.
UNDECIDED: Final = "undecided"

PNG_END: Final = b"IEND\xae\x42\x60\x82"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PNG_SIDE_MAX = 2**31 - 1
_OTHERS = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "BigTIFF"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"PK\3\4", "a zip archive"),
    (b"<", "XML, SVG or HTML"),
    (b"{", "JSON"),
)
_HEIF_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF"}

# Start-of-frame markers: what browsers decode, and what the others are.
_SOF_SHOWN = {0xC0, 0xC1, 0xC2}
_SOF_OTHERS = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "lossless"),
    **dict.fromkeys((0xC5, 0xC6, 0xCD, 0xCE), "hierarchical"),
    **dict.fromkeys((0xC9, 0xCA), "arithmetic-coded"),
}
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_ORIENTATION = 0x0112


class ImageError(ValueError):
    """Not an image that can be labeled, or none that can be judged; `kind` is one of the three above."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the first bytes of an image say."""

    format: str
    width: int
    height: int
    #: EXIF's: 1 is upright.
    orientation: int = 1


def read_header(read: Callable[[int, int], bytes]) -> Header:
    """Read an image's header.

    Args:
        read: ``(offset, length)`` → up to that many bytes, fewer only at the end of the file.

    Raises:
        ImageError: another format, or a header that breaks off or contradicts itself.
    """
    window = _Window(read)
    start = window.upto(0, 16)
    if start[:3] == b"\xff\xd8\xff":
        return _jpeg(window)
    if start[:8] == _PNG_SIGNATURE:
        return _png(window)
    raise ImageError(FORMAT, _other(start))


class _Window:
    """A file seen through a few short reads, the last of which is kept."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self._start, self._data = 0, read(0, _FIRST)
        self._asked = self._spent = _FIRST

    def at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes, or it is broken."""
        data = self.upto(offset, length)
        if len(data) < length:
            raise ImageError(BROKEN, f"the file ends within its header, at byte {offset + len(data)}")
        return data

    def upto(self, offset: int, length: int) -> bytes:
        """These bytes, or those up to the end of the file."""
        end = self._start + len(self._data)
        is_read = self._start <= offset and offset + length <= end
        is_the_rest = self._start <= offset < end and len(self._data) < self._asked
        if not is_read and not is_the_rest:
            # What was jumped to may be jumped over again; what follows on is read in larger pieces.
            self._fetch(offset, max(length, _HEAD if offset > end else _NEXT))
        return self._data[offset - self._start :][:length]

    def _fetch(self, offset: int, length: int) -> None:
        if self._spent + length > BYTES_MAX:
            what = f"no size within the {BYTES_MAX // 1024} KiB that are read of a header"
            raise ImageError(UNDECIDED, what)
        self._start, self._data = offset, self._read(offset, length)
        self._asked = length
        self._spent += length


def _png(window: _Window) -> Header:
    length, kind = struct.unpack(">I4s", window.at(8, 8))
    if kind == b"CgBI":
        raise ImageError(FORMAT, "a PNG in Apple's own form, which browsers don't show")
    if (length, kind) != (13, b"IHDR"):
        raise ImageError(BROKEN, f"a PNG has to begin with IHDR, not {kind!r}")
    body = window.at(16, 13)
    if zlib.crc32(b"IHDR" + body) != struct.unpack(">I", window.at(29, 4))[0]:
        raise ImageError(BROKEN, "IHDR's checksum is wrong")
    width, height, depth, colour, compression, filters, interlace = struct.unpack(">IIBBBBB", body)
    if not (0 < width <= _PNG_SIDE_MAX and 0 < height <= _PNG_SIDE_MAX):
        raise ImageError(BROKEN, f"{width} by {height} pixels")
    if depth not in _PNG_DEPTHS.get(colour, ()) or compression or filters or interlace > 1:
        raise ImageError(BROKEN, f"IHDR is not legal: colour type {colour}, {depth} bits")
    return Header(format=PNG, width=width, height=height, orientation=_png_pixels(window))


def _png_pixels(window: _Window) -> int:
    """Walk to the first pixels, without which there is no image; the orientation met on the way."""
    offset, orientation = 33, 1
    while True:
        length, kind = struct.unpack(">I4s", window.at(offset, 8))
        if kind == b"IDAT":
            return orientation
        if kind == b"IEND" or length > _PNG_SIDE_MAX or not kind.isalpha():
            raise ImageError(BROKEN, f"no pixels before {kind!r}")
        if kind == b"eXIf":
            orientation = _orientation(window.upto(offset + 8, min(length, _NEXT)))
        offset += 12 + length


def _jpeg(window: _Window) -> Header:
    """Walk the segments up to the first scan, without which there is no image."""
    offset, orientation, frame = 2, 1, None
    while True:
        offset, marker = _marker(window, offset)
        if marker in _STANDALONE or marker == 0xD8:
            continue
        if marker == 0xD9:
            raise ImageError(BROKEN, "it ends before its pixels begin")
        (length,) = struct.unpack(">H", window.at(offset, 2))
        if length < 2:
            raise ImageError(BROKEN, f"segment FF{marker:02X} has the length {length}")
        if marker == 0xDA:
            if frame is None:
                raise ImageError(BROKEN, "pixels come before their size")
            return Header(format=JPEG, width=frame[0], height=frame[1], orientation=orientation)
        if marker in _SOF_OTHERS:
            raise ImageError(FORMAT, f"a {_SOF_OTHERS[marker]} JPEG, which browsers don't show")
        if marker in _SOF_SHOWN:
            frame = _frame(window.at(offset + 2, 6), length)
        elif marker == 0xE1 and orientation == 1:
            orientation = _exif(window.upto(offset + 2, min(length - 2, _NEXT - 4)))
        offset += length


def _marker(window: _Window, offset: int) -> tuple[int, int]:
    """The next marker and where its segment begins; as decoders do, skip what lies between segments."""
    while True:
        byte = window.at(offset, 1)[0]
        following = window.at(offset + 1, 1)[0] if byte == 0xFF else 0
        if byte == 0xFF and following not in (0x00, 0xFF):
            return offset + 2, following
        offset += 1


def _frame(data: bytes, length: int) -> tuple[int, int]:
    precision, height, width, components = struct.unpack(">BHHB", data)
    if precision != 8:
        raise ImageError(FORMAT, f"a JPEG of {precision} bits a channel, which browsers don't show")
    if not height or not width:
        raise ImageError(BROKEN, f"{width} by {height} pixels")
    if components not in (1, 3, 4) or length != 8 + 3 * components:
        raise ImageError(BROKEN, f"a frame of {components} components in {length} bytes")
    return width, height


def _exif(data: bytes) -> int:
    return _orientation(data[6:]) if data[:6] == b"Exif\0\0" else 1


def _orientation(tiff: bytes) -> int:
    """The orientation in EXIF's first directory; 1 where it isn't told."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack(f"{order}I", tiff[4:8])
    count = struct.unpack(f"{order}H", tiff[start : start + 2])[0] if len(tiff) >= start + 2 else 0
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack(f"{order}HH", tiff[entry : entry + 4])
        if (tag, kind) == (_ORIENTATION, 3):
            (value,) = struct.unpack(f"{order}H", tiff[entry + 8 : entry + 10])
            return value if 1 <= value <= 8 else 1
    return 1


def _other(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    if start[4:8] == b"ftyp":
        return _HEIF_BRANDS.get(start[8:12], "an ISO media file (HEIC, AVIF, MP4)")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, name in _OTHERS:
        if start.startswith(magic) or text.startswith(magic):
            return name
    return f"unknown, beginning with {start[:8].hex(' ')}"
