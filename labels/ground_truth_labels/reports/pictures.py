"""Pictures as data URIs, small enough to put dozens of them into one page."""

from __future__ import annotations

import base64
import io
from typing import cast

import numpy as np
from PIL import Image

from ..classes import LabelList
from ..decode import MaskArray
from ..drawing import overlay

Small = MaskArray
"""A mask of as many pixels as a picture of it needs."""


def shrink(mask: MaskArray, longest: int) -> Small:
    """At most `longest` pixels wide or high, no ids mixed; a copy, so that the large one can go."""
    height, width = mask.shape
    scale = min(1.0, longest / max(height, width))
    rows = np.arange(max(1, round(height * scale))) * height // max(1, round(height * scale))
    columns = np.arange(max(1, round(width * scale))) * width // max(1, round(width * scale))
    return cast(Small, mask[rows[:, None], columns])


def data_uri(image: Image.Image) -> str:
    """An image as a JPEG data URI."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def thumbnail(image: Image.Image, mask: Small | None, labels: LabelList, *, longest: int = 520) -> str:
    """The image, with the mask over it if there is one, at most `longest` pixels wide or high."""
    small = image.copy()
    small.thumbnail((longest, longest))
    if mask is not None:
        small = overlay(small, mask, labels, opacity=0.55, legend=False)
    return data_uri(small)
