"""Whether a rewritten mask says of every pixel what the original says, in another way than it was made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from ._png_indices import read_indexed
from .classes import BACKGROUND
from .colormap import ColorEntry
from .decode import Alpha
from .errors import RepairError


def compare(
    original: Image.Image,
    copy: bytes,
    *,
    colors: tuple[ColorEntry, ...],
    copied_colors: tuple[ColorEntry, ...],
    alpha: Alpha,
    where: str,
    meaning: Callable[[str], str] = str,
) -> None:
    """Hold the copy's classes, by index, against the original's, by colour, at every pixel.

    Args:
        original: The mask that was copied.
        copy: The copy's PNG file.
        colors: The original's colour map.
        copied_colors: The copy's.
        alpha: Which pixels of the original count by their colour.
        where: The original, for messages.
        meaning: Class of the original, "" for a colour that its map doesn't have → class that the copy has
            to show. Default: the same.

    Raises:
        RepairError: They differ.
    """
    read = read_indexed(copy, f"{where}: the copy")
    if read.indices.shape != (original.height, original.width):
        raise RepairError(f"{where}: the copy has another size; it was removed")
    rgba = np.asarray(original.convert("RGBA"), np.uint8).view("<u4").ravel().astype(np.uint64)
    pairs, counts = np.unique(rgba << np.uint64(8) | read.indices.ravel(), return_counts=True)
    by_hex = {entry.hex: entry.class_name for entry in colors}
    copied_by_hex = {entry.hex: entry.class_name for entry in copied_colors}
    by_index = {entry.index: entry.class_name for entry in copied_colors}
    differing = 0
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        red, green, blue, opacity = (pair >> 8).to_bytes(4, "little")
        name = by_hex.get(f"#{red:02x}{green:02x}{blue:02x}", "")
        if opacity < {"visible": 1, "opaque": 255, "color": 0}[alpha] or (not name and not opacity):
            name = BACKGROUND
        name = meaning(name)
        index = pair & 255
        # An index that the map doesn't have is nobody's: background, or the colour that nobody knew.
        found = by_index.get(index, BACKGROUND if name == BACKGROUND else "")
        # Beyond the palette's end there is no colour, and no two readers show the same.
        shown = f"#{read.palette[index]:06x}" if index < len(read.palette) else None
        wrong_color = shown is None or (index in by_index and copied_by_hex.get(shown) != name)
        differing += count if found != name or wrong_color else 0
    if differing:
        raise RepairError(
            f"{where}: {differing:,} pixels of the copy read as another class than the original's; "
            "the copy was removed, use the original, which reads right by colour"
        )
