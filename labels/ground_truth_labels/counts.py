"""How many pixels each class has, and each pair of classes, without sorting or widening every pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .classes import IGNORE, LabelList
from .decode import MaskArray

_LEAST_RUN = 8
_Matrix = npt.NDArray[np.int64]


def class_counts(mask: MaskArray) -> dict[int, int]:
    """Id → number of pixels, for the ids that are there."""
    flat = mask.ravel()
    # Masks are long runs, and finding their ends is five times as fast as counting single pixels.
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    if ends.size > flat.size // _LEAST_RUN:
        counts = np.bincount(flat)
    else:
        lengths = np.diff(np.concatenate(([-1], ends, [flat.size - 1])))
        values = flat[np.append(ends, flat.size - 1)]
        counts = np.bincount(values, weights=lengths)
    return {int(i): int(counts[i]) for i in np.flatnonzero(counts)}


def has_class(mask: MaskArray, labels: LabelList) -> bool:
    """Whether any pixel has a class: neither background nor ignored."""
    return not class_counts(mask).keys() <= {labels.background, IGNORE}


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
