"""The image of a mask: of the same size, lying the way the workers saw it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from .context import load_image
from .errors import LimitError, MaskError
from .item import Item
from .limits import DEFAULT_LIMITS, Limits
from .orientation import exif_orientation, seen_upright, without_turn

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
    except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:
        raise MaskError(f"{name}: cannot be decoded as an image: {error}") from error
    if image.width * image.height > limits.pixels:
        raise LimitError(f"{name}: has {image.width:,} x {image.height:,} pixels, limit {limits.pixels:,}")
    return ImageHeader(
        # This is a camera's JPEG with a second, smaller picture behind it; for readers it is a JPEG.
        format="JPEG" if image.format == "MPO" else image.format or "",
        width=image.width,
        height=image.height,
        orientation=exif_orientation(data),
    )


def aligned_image(item: Item, shape: tuple[int, int], *, jpeg: bool = False) -> ImageFile:
    """The image that belongs to a mask of `shape` (height, width).

    The source file is passed on untouched where it can be. Where the workers saw it as it is stored, a
    note by which other readers would turn it is set to "as stored", and nothing else; where they saw it
    turned (the mask's size tells, or `orientation`), it is turned and written anew.

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
    size = (header.width, header.height)
    rule = item.context.orientation if item.context else "stored"
    upright = seen_upright(header.orientation, size, (shape[1], shape[0]), rule)
    if upright is None:
        raise MaskError(
            f"{name}: image has {header.width} x {header.height} pixels, mask {shape[1]} x {shape[0]}; "
            "they must be equal"
        )
    suffix = _SUFFIXES.get(header.format, ".png")
    if not upright and (header.format == "JPEG" or (header.format in _SUFFIXES and not jpeg)):
        same = without_turn(data)
        return ImageFile(data=same, suffix=suffix, width=shape[1], height=shape[0], verbatim=same is data)
    image = load_image(data, name=name, limits=limits, orientation=header.orientation if upright else 1)
    profile = image.info.get("icc_profile")
    as_jpeg = jpeg or header.format == "JPEG"
    buffer = io.BytesIO()
    if as_jpeg:
        image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=profile)
    else:
        image.save(buffer, "PNG", icc_profile=profile)
    return ImageFile(
        data=buffer.getvalue(),
        suffix=".jpg" if as_jpeg else ".png",
        width=image.width,
        height=image.height,
        verbatim=False,
    )
