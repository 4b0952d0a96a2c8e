"""Workers' answers to class ids, and class ids to PNG files.

In memory a mask is an array of class ids: 0 is background, label number i of the category file is i + 1.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from . import palette
from .errors import TaskError, shown

Mask = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

MAX_ANSWER_PIXELS = 100_000_000
"""Input data quotas: an image of a segmentation job has at most 100 million pixels."""
MAX_PNG_BYTES = 40 * 1024 * 1024

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_BAND_ROWS = 512
_PALETTE_ENTRIES = 256


def empty_mask(height: int, width: int, label_count: int) -> Mask:
    """Return a mask of background only, of the smallest type that holds all labels."""
    if label_count < _PALETTE_ENTRIES:
        return np.zeros((height, width), dtype=np.uint8)
    return np.zeros((height, width), dtype=np.uint16)


def decode_answer(answer: Any, *, labels: Sequence[str], width: int, height: int) -> Mask:
    """Return the class ids that a ``crowd-semantic-segmentation`` element's answer paints.

    Raises:
        TaskError: the answer is not of the element's documented form, is too large, has another size than the
            picture, or has a colour that its ``labelMappings`` don't name.
    """
    colors = _label_colors(answer, labels)
    image = _open_png(_png_bytes(answer), width, height)
    mask = empty_mask(height, width, len(labels))
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        band = np.asarray(image.crop((0, top, width, bottom)).convert("RGBA"))
        mask[top:bottom] = _band_ids(band, colors, top, mask.dtype)
    return mask


def _label_colors(answer: Any, labels: Sequence[str]) -> dict[int, int]:
    """Return packed colour → class id."""
    mappings = answer.get("labelMappings") if isinstance(answer, dict) else None
    if not isinstance(mappings, dict):
        raise TaskError("the answer has no labelMappings")
    ids = {palette.BACKGROUND: 0} | {label: index for index, label in enumerate(labels, start=1)}
    found: dict[int, int] = {_packed(palette.BACKGROUND_COLOR): 0}
    for label, mapping in mappings.items():
        color = mapping.get("color") if isinstance(mapping, dict) else None
        if label not in ids:
            raise TaskError(f"labelMappings names {shown(label)}, which is not one of the job's labels")
        if not isinstance(color, str) or not _COLOR.fullmatch(color):
            raise TaskError(
                f"the color of {shown(label)} in labelMappings must be '#rrggbb', got {shown(color)}"
            )
        if found.setdefault(_packed(color), ids[label]) != ids[label]:
            raise TaskError(
                f"the color {color} of {shown(label)} in labelMappings is used twice, or is the background's"
            )
    return found


def _packed(color: str) -> int:
    return int(color[1:], 16)


def _png_bytes(answer: dict[str, Any]) -> bytes:
    labeled = answer.get("labeledImage")
    encoded = labeled.get("pngImageData") if isinstance(labeled, dict) else None
    if not isinstance(encoded, str):
        raise TaskError("the answer has no labeledImage.pngImageData")
    if len(encoded) > MAX_PNG_BYTES * 4 // 3:
        raise TaskError(f"labeledImage.pngImageData is larger than {MAX_PNG_BYTES} bytes")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TaskError("labeledImage.pngImageData is not base64") from error


def _open_png(data: bytes, width: int, height: int) -> Image.Image:
    """Open and decode a PNG; its size is checked before any pixel is decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG",))
        if image.size != (width, height):
            raise TaskError(
                f"the mask is {image.width} x {image.height}, the picture {width} x {height} pixels"
            )
        if width * height > MAX_ANSWER_PIXELS:
            raise TaskError(f"the mask has more than {MAX_ANSWER_PIXELS} pixels")
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise TaskError("labeledImage.pngImageData is not a readable PNG") from error
    return image


def _band_ids(
    band: npt.NDArray[np.uint8], colors: dict[int, int], top: int, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    parts = band.astype(np.uint32)
    packed = (parts[..., 0] << 16) | (parts[..., 1] << 8) | parts[..., 2]
    ids = np.zeros(packed.shape, dtype=dtype)
    known = parts[..., 3] == 0
    packed[known] = _packed(palette.BACKGROUND_COLOR)
    for color, class_id in colors.items():
        here = packed == color
        ids[here] = class_id
        known |= here
    if not known.all():
        row, column = np.argwhere(~known)[0]
        raise TaskError(
            f"pixel x={column}, y={top + row} has the color #{packed[row, column]:06x}, which labelMappings "
            "doesn't name"
        )
    return ids


def encode_mask(mask: Mask, label_count: int) -> bytes:
    """Return the consolidated mask as a PNG in the palette's colours.

    A palette PNG whose indices are the class ids, or an RGB one where 256 palette entries are too few.
    """
    rgb = [palette.to_rgb(color) for color in (palette.BACKGROUND_COLOR, *palette.colors(label_count))]
    if len(rgb) <= _PALETTE_ENTRIES:
        image = Image.fromarray(np.ascontiguousarray(mask, dtype=np.uint8))
        image.putpalette([part for color in rgb for part in color])
    else:
        image = Image.fromarray(np.array(rgb, dtype=np.uint8)[mask])
    return _png(image)


def encode_answer(mask: Mask, labels: Sequence[str]) -> dict[str, Any]:
    """Return what the element answers for a mask painted in its own colours; background is transparent."""
    colors = palette.colors(len(labels))
    rgba = np.zeros((len(labels) + 1, 4), dtype=np.uint8)
    for index, color in enumerate(colors, start=1):
        rgba[index] = (*palette.to_rgb(color), 255)
    height, width = mask.shape
    return {
        "inputImageProperties": {"height": height, "width": width},
        "labelMappings": {label: {"color": color} for label, color in zip(labels, colors, strict=True)},
        "labeledImage": {"pngImageData": base64.b64encode(_png(Image.fromarray(rgba[mask]))).decode()},
    }


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # Masks are flat areas: the fastest compression already shrinks them a hundredfold.
    image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
