"""The pictures of the console: a mask over its picture, and where workers disagree, in colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ground_truth_labels import LabelList
from ground_truth_labels.drawing import overlay

from .measures import minority

_THUMBNAIL, _LARGE = 360, 1400
Mask = npt.NDArray[np.integer[Any]]
#: These go from "two of many differ" to "everybody else": yellow, orange, red, violet.
_HEAT = np.array([(255, 221, 87), (255, 150, 40), (222, 45, 38), (122, 1, 119)], np.float32)


def picture(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return the picture alone, as JPEG."""
    return _jpeg(Image.fromarray(_small(pixels, _LARGE)))


def painted(
    pixels: npt.NDArray[np.uint8], mask: Mask, labels: LabelList, *, thumbnail: bool = False
) -> bytes:
    """Return a mask over its picture, as JPEG."""
    longest = _THUMBNAIL if thumbnail else _LARGE
    drawn = overlay(_small(pixels, longest), _small(mask, longest), labels, opacity=0.55, legend=False)
    return _jpeg(drawn)


def disagreement(pixels: npt.NDArray[np.uint8], masks: Sequence[Mask]) -> bytes:
    """Return the picture in grey, with colour where workers chose different classes, as JPEG."""
    gray = np.asarray(Image.fromarray(_small(pixels, _LARGE)).convert("L"), np.float32)
    base = np.repeat((90 + gray * 0.5)[..., None], 3, axis=2)
    share = minority([_small(mask, _LARGE) for mask in masks])
    most = 1 - 1 / max(len(masks), 2)
    place = np.clip(share / most, 0, 1) * (len(_HEAT) - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, len(_HEAT) - 1)
    part = (place - low)[..., None]
    heat = _HEAT[low] * (1 - part) + _HEAT[high] * part
    shown = np.where((share > 0)[..., None], base * 0.15 + heat * 0.85, base)
    return _jpeg(Image.fromarray(shown.astype(np.uint8)))


def _small(pixels: npt.NDArray[Any], longest: int) -> npt.NDArray[Any]:
    """Every n-th pixel: what is shown is a class that somebody painted, never a mixture."""
    step = max(1, -(-max(pixels.shape[:2]) // longest))
    return np.ascontiguousarray(pixels[::step, ::step])


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
