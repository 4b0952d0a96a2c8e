"""How many pixels each class has, and each pair of classes, without sorting or widening every pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from .decode import MaskArray

_Matrix = npt.NDArray[np.int64]


def class_counts(mask: MaskArray) -> dict[int, int]:
    """Id → number of pixels, for the ids that are there."""
    if mask.dtype.itemsize == 1:
        # Pillow counts bytes as they are; NumPy would make eight bytes of each first.
        height, width = mask.shape
        picture = Image.frombuffer("L", (width, height), np.ascontiguousarray(mask), "raw", "L", 0, 1)
        return {i: count for i, count in enumerate(picture.histogram()) if count}
    histogram = np.bincount(mask.ravel())
    return {int(i): int(histogram[i]) for i in np.flatnonzero(histogram)}


def confusion_matrix(truth: MaskArray, other: MaskArray, order: Sequence[int]) -> _Matrix:
    """Pixels by class in `truth` (row) and `other` (column); ids outside `order` are left out."""
    size = len(order)
    position = np.full(65_537, size, np.int64)
    position[list(order)] = range(size)
    # Both masks are long runs: one number for each run of the pair, weighted with its length.
    joint = truth.ravel().astype(np.uint32) << 16 | other.ravel()
    starts = np.concatenate((np.zeros(1, np.intp), np.flatnonzero(joint[1:] != joint[:-1]) + 1))
    lengths = np.diff(np.append(starts, joint.size))
    pairs = joint[starts]
    cells = position[pairs >> 16] * (size + 1) + position[pairs & 0xFFFF]
    counts = np.bincount(cells, weights=lengths, minlength=(size + 1) ** 2).astype(np.int64)
    matrix: _Matrix = counts.reshape(size + 1, size + 1)[:size, :size]
    return matrix
