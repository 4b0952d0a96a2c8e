"""How an image lies: the one place that knows of EXIF's orientation.

Ground Truth's pages keep browsers from turning images by EXIF, which is what they need CORS for (Developer
Guide, sms-cors-update), so workers paint a picture as it is stored. What would turn it is what browsers go
by: EXIF's orientation alone, in a PNG before its pixels; not XMP's `tiff:Orientation`, as Pillow does.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL import Image

Orientation = Literal["stored", "upright"]
"""How the workers saw images that EXIF turns, where sizes don't tell: as stored (the guide), or turned."""

_TAG = 0x0112
_PNG = b"\x89PNG\r\n\x1a\n"
_XMP = re.compile(rb"(tiff:Orientation(?:=[\"']|>)\s*)[2-8]")


def exif_orientation(data: bytes) -> int:
    """EXIF's orientation, 1-8, from the first bytes of a JPEG or PNG; 1 where a browser finds none."""
    for _, _, tiff, early in _blocks(data):
        if early:
            place = _place(tiff)
            return place[1] if place else 1
    return 1


def seen_upright(
    orientation: int, size: tuple[int, int], mask: tuple[int, int] | None, rule: Orientation
) -> bool | None:
    """Whether the workers saw an image turned as EXIF says; None where neither size nor turn fits the mask.

    Args:
        orientation: EXIF's.
        size: Width and height as stored.
        mask: Width and height of the mask, or None without one.
        rule: What holds where sizes don't tell.
    """
    turned = size[::-1] if orientation >= 5 else size
    if mask is None or turned == size:
        return (orientation != 1 and rule == "upright") if mask in (None, size) else None
    return {size: False, turned: True}.get(mask)


def sizes_tell(orientation: int, size: tuple[int, int]) -> bool:
    """Whether a mask's size shows if the image was turned: not for mirrored, upside down and square ones."""
    return orientation == 1 or (orientation >= 5 and size[0] != size[1])


def turn(image: Image.Image, orientation: int) -> Image.Image:
    """The image turned as EXIF's orientation says (EXIF 2.32, table 6)."""
    from PIL import Image as pillow

    method = {
        2: pillow.Transpose.FLIP_LEFT_RIGHT,
        3: pillow.Transpose.ROTATE_180,
        4: pillow.Transpose.FLIP_TOP_BOTTOM,
        5: pillow.Transpose.TRANSPOSE,
        6: pillow.Transpose.ROTATE_270,
        7: pillow.Transpose.TRANSVERSE,
        8: pillow.Transpose.ROTATE_90,
    }.get(orientation)
    return image if method is None else image.transpose(method)


def without_turn(data: bytes) -> bytes:
    """The same file, pixels and all else untouched, with no note left by which any reader would turn it.

    Byte for byte the file itself where there is none.
    """
    out = bytearray(data)
    for start, _, tiff, _ in _blocks(data):
        place = _place(tiff)
        if place and place[1] != 1:
            at = start + place[0]
            out[at : at + 2] = struct.pack(f"{place[2]}H", 1)
    for start, end in _texts(data):
        out[start:end] = _XMP.sub(rb"\g<1>1", bytes(out[start:end]))
    if out == data:
        return data
    if data.startswith(_PNG):
        for at, length, _ in _chunks(data):
            crc = zlib.crc32(out[at + 4 : at + 8 + length])
            out[at + 8 + length : at + 12 + length] = struct.pack(">I", crc)
    return bytes(out)


def _blocks(data: bytes) -> Iterator[tuple[int, int, bytes, bool]]:
    """EXIF's TIFF blocks: start, end, bytes, and whether a browser looks there."""
    if data.startswith(_PNG):
        early = True
        for at, length, kind in _chunks(data):
            early = early and kind != b"IDAT"
            if kind == b"eXIf":
                yield at + 8, at + 8 + length, data[at + 8 : at + 8 + length], early
        return
    for start, end in _segments(data):
        if data[start : start + 6] == b"Exif\0\0":
            yield start + 6, end, data[start + 6 : end], True


def _texts(data: bytes) -> Iterator[tuple[int, int]]:
    """Where XMP may be, uncompressed."""
    if data.startswith(_PNG):
        yield from ((at + 8, at + 8 + n) for at, n, kind in _chunks(data) if kind in (b"iTXt", b"tEXt"))
    else:
        yield from (span for span in _segments(data) if data[span[0] :].startswith(b"http://ns.adobe.com/"))


def _chunks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        yield at, length, kind
        at += 12 + length


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the content of each APP1 of a JPEG begins and ends, up to its pixels."""
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xD9, 0xDA):
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xE1:
            yield at + 4, min(end, len(data))
        at = max(end, at + 4)


def _place(tiff: bytes) -> tuple[int, int, str] | None:
    """Where the orientation stands in the first directory, its value, and the byte order."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return None
    (start,) = struct.unpack(f"{order}I", tiff[4:8])
    count = struct.unpack(f"{order}H", tiff[start : start + 2])[0] if len(tiff) >= start + 2 else 0
    for at in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number = struct.unpack(f"{order}HHI", tiff[at : at + 8])
        if (tag, kind, number) == (_TAG, 3, 1):
            (value,) = struct.unpack(f"{order}H", tiff[at + 8 : at + 10])
            return (at + 8, value, order) if 1 <= value <= 8 else None
    return None
