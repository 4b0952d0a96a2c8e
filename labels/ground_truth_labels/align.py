"""The image of a mask: of the same size, turned the way the workers saw it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from .context import load_image
from .errors import LimitError, MaskError
from .item import Item
from .limits import DEFAULT_LIMITS, Limits

_ORIENTATION = 0x0112
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif"}
_QUALITY = 95


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What the head of an image file says.

    Attributes:
        format: Pillow's name, for example `JPEG`.
        width: Pixels as stored.
        height: Pixels as stored.
        orientation: EXIF orientation, 1-8; 1 without one.
    """

    format: str
    width: int
    height: int
    orientation: int

    @property
    def shown(self) -> tuple[int, int]:
        """(height, width) as a browser shows it to the worker."""
        if self.orientation >= 5:
            return self.width, self.height
        return self.height, self.width


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An image ready to be written.

    Attributes:
        data: The file.
        suffix: `.jpg`, `.png`, …
        width: Pixels.
        height: Pixels.
        verbatim: Whether `data` is the source file, byte for byte.
    """

    data: bytes
    suffix: str
    width: int
    height: int
    verbatim: bool


def image_header(data: bytes, *, name: str, limits: Limits = DEFAULT_LIMITS) -> ImageHeader:
    """Read an image's header; no pixel is decoded.

    Raises:
        LimitError: It announces too many pixels.
        MaskError: Not an image.
    """
    try:
        image = Image.open(io.BytesIO(data))
        orientation = _orientation(image)
    except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:
        raise MaskError(f"{name}: cannot be decoded as an image: {error}") from error
    if image.width * image.height > limits.pixels:
        raise LimitError(f"{name}: has {image.width:,} x {image.height:,} pixels, limit {limits.pixels:,}")
    return ImageHeader(
        format=image.format or "",
        width=image.width,
        height=image.height,
        orientation=orientation if orientation in range(1, 9) else 1,
    )


def _orientation(image: Image.Image) -> int:
    """From the header alone: Pillow's `getexif` decodes the whole of a PNG that has no EXIF."""
    if image.format != "PNG":
        return int(image.getexif().get(_ORIENTATION, 1))
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return int(exif.get(_ORIENTATION, 1))


def aligned_image(item: Item, shape: tuple[int, int], *, jpeg: bool = False) -> ImageFile:
    """The image that belongs to a mask of `shape` (height, width).

    The source file is passed on untouched where it can be. An image with an EXIF orientation is turned and
    written anew without it, because most training code ignores EXIF and would see image and mask misaligned.

    Args:
        item: The labeled object.
        shape: Of its mask.
        jpeg: Whether the layout takes JPEG only; then other formats are written anew at quality 95.

    Raises:
        MaskError: Image and mask differ in size.
    """
    data = item.image_bytes()
    name = f"{item.where}: {item.source_ref}"
    limits = item.context.storage.limits if item.context else DEFAULT_LIMITS
    header = image_header(data, name=name, limits=limits)
    stored = (header.height, header.width)
    if shape not in (header.shown, stored):
        raise MaskError(
            f"{name}: image has {header.width} x {header.height} pixels, mask {shape[1]} x {shape[0]}; "
            "they must be equal"
        )
    suffix = _SUFFIXES.get(header.format, ".png")
    if header.orientation == 1 and (header.format == "JPEG" or (header.format in _SUFFIXES and not jpeg)):
        return ImageFile(data=data, suffix=suffix, width=shape[1], height=shape[0], verbatim=True)
    image = load_image(data, name=name, limits=limits, turn=header.shown == shape)
    as_jpeg = jpeg or header.format == "JPEG"
    buffer = io.BytesIO()
    if as_jpeg:
        image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        image.save(buffer, "PNG")
    return ImageFile(
        data=buffer.getvalue(),
        suffix=".jpg" if as_jpeg else ".png",
        width=image.width,
        height=image.height,
        verbatim=False,
    )
