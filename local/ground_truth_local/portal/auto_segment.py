"""The auto-segmentation tool: four extreme points of an object → its mask, by OpenCV's GrabCut.

GrabCut (Rother, Kolmogorov and Blake, 2004) learns the colours inside and outside a rectangle and cuts
between them. The extreme points give that rectangle, and surely lie on the object.
"""

from __future__ import annotations

import base64
import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from .points import AutoSegmentError, Hint

_WORK_SIDE = 480
_MARGIN = 0.25
_SEED_RADIUS = 0.02
_ITERATIONS = 5
_MAX_PIXELS = 100_000_000
_Bitmap = npt.NDArray[np.uint8]


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An object's mask, and where its upper left corner is in the picture."""

    left: int
    top: int
    mask: _Bitmap
    """255 on the object, 0 elsewhere."""

    def to_json(self) -> dict[str, Any]:
        """Return what the page gets."""
        buffer = io.BytesIO()
        Image.fromarray(self.mask).save(buffer, format="PNG", compress_level=1)
        return {"left": self.left, "top": self.top, "png": base64.b64encode(buffer.getvalue()).decode()}


def auto_segment(
    picture: bytes, points: Sequence[tuple[float, float]], hints: Sequence[Hint] = ()
) -> Segment:
    """Find the object whose top-most, bottom-most, left-most and right-most points are given, in any order.

    Args:
        picture: the file; its EXIF orientation is left alone, as on the worker's page.
        points: four extreme points.
        hints: places that surely belong to the object, or surely don't.

    Raises:
        AutoSegmentError: the points are not in the picture, or too close together.
    """
    with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as opened:
        if opened.width * opened.height > _MAX_PIXELS:
            raise AutoSegmentError("The picture is too large.")
        image = opened.convert("RGB")
    left, top, right, bottom = _box([*points, *((x, y) for x, y, inside in hints if inside)], image.size)
    window = _window(left, top, right, bottom, image.size)
    scale = min(1.0, _WORK_SIDE / max(window[2] - window[0], window[3] - window[1]))
    part = image.crop(window)
    size = (max(2, round(part.width * scale)), max(2, round(part.height * scale)))
    # Blue, green, red is OpenCV's order; the cut is the same in any.
    work = np.ascontiguousarray(np.asarray(part.resize(size, Image.Resampling.BOX))[..., ::-1])
    ratio = (size[0] / part.width, size[1] / part.height)
    moved = [((x - window[0]) * ratio[0], (y - window[1]) * ratio[1]) for x, y in points]
    box = _Box(
        (left - window[0]) * ratio[0],
        (top - window[1]) * ratio[1],
        (right - window[0]) * ratio[0],
        (bottom - window[1]) * ratio[1],
    )
    marks = [Hint((x - window[0]) * ratio[0], (y - window[1]) * ratio[1], inside) for x, y, inside in hints]
    found = Image.fromarray(_cut(work, moved, box, marks))
    full = found.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=box)
    return Segment(left=left, top=top, mask=np.where(np.asarray(full) >= 128, 255, 0).astype(np.uint8))


def _box(points: Sequence[tuple[float, float]], size: tuple[int, int]) -> tuple[int, int, int, int]:
    xs, ys = zip(*points, strict=True)
    if min(xs) < 0 or min(ys) < 0 or max(xs) > size[0] or max(ys) > size[1]:
        raise AutoSegmentError("A point lies outside the picture.")
    left, top = int(min(xs)), int(min(ys))
    right, bottom = min(size[0], int(max(xs)) + 1), min(size[1], int(max(ys)) + 1)
    if right - left < 4 or bottom - top < 4:
        raise AutoSegmentError("The points are too close together: click the object's four outermost points.")
    return left, top, right, bottom


def _window(left: int, top: int, right: int, bottom: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box with enough around it to learn what the background looks like."""
    x, y = int((right - left) * _MARGIN) + 8, int((bottom - top) * _MARGIN) + 8
    return max(0, left - x), max(0, top - y), min(size[0], right + x), min(size[1], bottom + y)


def _cut(work: _Bitmap, points: Sequence[tuple[float, float]], box: _Box, hints: Sequence[Hint]) -> _Bitmap:
    mask = np.full(work.shape[:2], cv2.GC_BGD, dtype=np.uint8)
    left, top, right, bottom = (
        math.floor(box.left),
        math.floor(box.top),
        math.ceil(box.right),
        math.ceil(box.bottom),
    )
    mask[top:bottom, left:right] = cv2.GC_PR_FGD
    _mark_object(mask, points, box)
    radius = max(2, round(_SEED_RADIUS * max(work.shape[:2])))
    for hint in hints:
        certain = cv2.GC_FGD if hint.inside else cv2.GC_BGD
        cv2.circle(mask, (round(hint.x), round(hint.y)), radius, certain, -1)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    # GrabCut starts from a random clustering: the same four clicks shall give the same mask.
    cv2.setRNGSeed(1)
    # It fails where no pixel is surely outside: then the box is the best that is known.
    with contextlib.suppress(cv2.error):
        cv2.grabCut(work, mask, (0, 0, 1, 1), background, foreground, _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    inside = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    opened = cv2.morphologyEx(inside, cv2.MORPH_OPEN, kernel)
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel), dtype=np.uint8)


def _mark_object(mask: _Bitmap, points: Sequence[tuple[float, float]], box: _Box) -> None:
    """Mark what surely is object: a small quadrilateral in the middle, spanned by the extreme points."""
    middle = np.mean(points, axis=0)
    inner = np.array([middle + (np.array(point) - middle) * 0.35 for point in points])
    hull = cv2.convexHull(np.round(inner).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, cv2.GC_FGD)
    radius = max(1, round(_SEED_RADIUS * max(box.right - box.left, box.bottom - box.top)))
    for x, y in points:
        # The points lie on the outline: a dot a little inside is object, the other side isn't.
        inward = np.array([x, y]) + (middle - np.array([x, y])) * 0.08
        cv2.circle(mask, (round(float(inward[0])), round(float(inward[1]))), radius, cv2.GC_FGD, -1)
