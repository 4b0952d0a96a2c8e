"""The colours of labels in masks.

The first ten are those that Ground Truth gives to labels, as its documented output shows them.
"""

from __future__ import annotations

import colorsys

BACKGROUND = "BACKGROUND"
BACKGROUND_COLOR = "#ffffff"

_FIRST = (
    "#2ca02c", "#1f77b4", "#ff7f0e", "#d62728", "#9467bd",
    "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
    "#98df8a", "#aec7e8", "#ffbb78", "#ff9896", "#c5b0d5",
    "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5",
)  # fmt: skip
_GOLDEN_RATIO = 0.618033988749895


def colors(count: int) -> list[str]:
    """Return ``count`` different colours, none of them white or black; always the same for a position."""
    found = list(_FIRST[:count])
    seen = {*found, BACKGROUND_COLOR, "#000000"}
    step = 0
    while len(found) < count:
        hue = (step * _GOLDEN_RATIO) % 1.0
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.45 + 0.5 * (step % 3) / 2, 0.95 - 0.45 * (step % 5) / 4)
        color = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
        if color not in seen:
            seen.add(color)
            found.append(color)
        step += 1
    return found


def to_rgb(color: str) -> tuple[int, int, int]:
    """Return the three bytes of a ``#rrggbb`` colour."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
