"""The error for colours that no class has, and the recognition of resampled masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from .errors import UnknownColorError

_SHOWN = 5
_TESTED = 64
_TOLERANCE = 3.0


def unknown_colors_error(
    image: Image.Image, bad: npt.NDArray[np.bool_], known: list[int], name: str
) -> UnknownColorError:
    """The error that names file, colours and pixel counts."""
    rgb = np.asarray(image.convert("RGB"))[bad].astype(np.uint32)
    packed, counts = np.unique(rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    colors = tuple((f"#{packed[i]:06x}", int(counts[i])) for i in order)
    resampled = looks_resampled([int(packed[i]) for i in order], known)
    shown = ", ".join(f"{color} ({count:,} pixels)" for color, count in colors[:_SHOWN])
    more = f" and {len(colors) - _SHOWN} more" if len(colors) > _SHOWN else ""
    cause = (
        "they lie between known colours, so the mask was anti-aliased, resized or saved lossily: "
        "use the original, or unknown='ignore'"
        if resampled
        else "choose unknown='ignore' (255) or 'background' to go on, or correct the map"
    )
    message = f"{name}: {int(bad.sum()):,} pixels have colours outside the colour map: {shown}{more}; {cause}"
    return UnknownColorError(message, colors=colors, resampled=resampled)


def looks_resampled(unknown: list[int], known: list[int]) -> bool:
    """Whether most of at least three unknown colours are mixtures of two known ones.

    Args:
        unknown: `0xRRGGBB`, most frequent first; the first 64 are tested.
        known: `0xRRGGBB` of the map; black and white are added, as what mixes in from transparency.
    """
    if len(unknown) < 3 or not known:
        return False
    points = _rgb(unknown[:_TESTED])
    ends = _rgb(list(dict.fromkeys([*known[:_TESTED], 0x000000, 0xFFFFFF])))
    a, b = (ends[i] for i in np.triu_indices(len(ends), 1))
    direction = b - a
    length = (direction**2).sum(1)
    along = np.einsum("pkc,kc->pk", points[:, None] - a, direction) / length
    distance = np.linalg.norm(points[:, None] - a - along[..., None] * direction, axis=2)
    between = (distance <= _TOLERANCE) & (along > 0) & (along < 1)
    return bool(between.any(1).mean() >= 0.6)


def _rgb(colors: list[int]) -> npt.NDArray[np.float64]:
    packed = np.array(colors, np.uint32)
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(float)
