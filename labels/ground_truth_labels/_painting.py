"""Masks and colour maps as Ground Truth writes them."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image

from .classes import BACKGROUND, LabelList
from .decode import MaskArray

#: Ground Truth's own colour for pixels nobody labeled.
PAPER = 0xFFFFFF


def colors_of(labels: LabelList) -> list[int]:
    """A colour for the background and each class in the list's order, no two alike."""
    colors = [PAPER]
    for name in labels.names:
        color = int(labels.colors[labels.ids[name]][1:], 16)
        while color in colors:
            color = (color + 1) % PAPER
        colors.append(color)
    return colors


def color_map_of(labels: LabelList) -> dict[str, dict[str, str]]:
    """The `internal-color-map` of masks in these colours."""
    named = zip((BACKGROUND, *labels.names), colors_of(labels), strict=True)
    return {
        str(i): {"class-name": name, "hex-color": f"#{color:06x}"} for i, (name, color) in enumerate(named)
    }


def mask_png(indices: MaskArray, colors: list[int]) -> bytes:
    """A palette PNG whose indices are the colour map's keys; RGB for more than fit into a palette.

    Args:
        indices: Positions in `colors`; `uint8` for a palette.
        colors: `0xRRGGBB` of each position.
    """
    rgb = np.array([list(color.to_bytes(3, "big")) for color in colors], np.uint8)
    buffer = io.BytesIO()
    if indices.dtype.itemsize == 1:
        image = Image.fromarray(indices)
        # From 17 entries on an index has eight bits, and every reader takes it for what it is.
        image.putpalette(rgb.tobytes().ljust(17 * 3, b"\0"))
        image.save(buffer, "PNG", compress_type=zlib.Z_RLE)
    else:
        Image.fromarray(rgb[indices]).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()
