"""Class-index PNGs: the pixel value is the class id."""

from __future__ import annotations

import io
import zlib
from typing import Any

from PIL import Image

from ..classes import LabelList
from ..decode import MaskArray


def index_png(mask: MaskArray, labels: LabelList | None) -> bytes:
    """A PNG whose pixel values are class ids: 8 bits with the labels' palette, or grey, 8 or 16 bits."""
    image: Any = Image.fromarray(mask)
    if labels is not None and mask.dtype.itemsize == 1:
        image.putpalette(labels.palette())
    buffer = io.BytesIO()
    # Masks are runs of one value: looking for nothing else is five times as fast as the default, and smaller.
    image.save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()
