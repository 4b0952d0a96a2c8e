"""COCO run-length encoding of class-index masks, without pycocotools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ClassRuns:
    """The pixels of one class.

    Attributes:
        id: Class id.
        counts: Run lengths down the columns (Fortran order), beginning with pixels outside the class.
        area: Number of pixels.
        bbox: x, y, width, height in pixels.
    """

    id: int
    counts: _Ints
    area: int
    bbox: tuple[int, int, int, int]


def class_runs(mask: npt.NDArray[np.integer]) -> Iterator[ClassRuns]:
    """The runs of every id in a mask of shape (height, width), in the order of the ids."""
    height = mask.shape[0]
    flat = np.asfortranarray(mask).ravel(order="F")
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1)).astype(np.int64)
    ends = np.append(starts[1:], flat.size)
    values = flat[starts]
    for class_id in np.unique(values).tolist():
        chosen = values == class_id
        begin, end = starts[chosen], ends[chosen]
        yield runs_of(class_id, begin, end, flat.size, height)


def runs_of(class_id: int, begin: _Ints, end: _Ints, size: int, height: int) -> ClassRuns:
    """From where runs begin and end, in Fortran order, without any that touch."""
    borders = np.empty(2 * begin.size + 2, np.int64)
    borders[0], borders[1:-1:2], borders[2:-1:2], borders[-1] = 0, begin, end, size
    counts = np.diff(borders)
    return ClassRuns(
        id=class_id,
        counts=counts if counts[-1] else counts[:-1],
        area=int((end - begin).sum()),
        bbox=_bbox(begin, end - 1, height),
    )


def _bbox(first: _Ints, last: _Ints, height: int) -> tuple[int, int, int, int]:
    left, right = int(first.min() // height), int(last.max() // height)
    if (first // height != last // height).any():
        top, bottom = 0, height - 1
    else:
        top, bottom = int((first % height).min()), int((last % height).max())
    return left, top, right - left + 1, bottom - top + 1


def compress(counts: _Ints) -> str:
    """Run lengths as COCO's compressed string.

    Each length from the fourth on is written as the difference to the one two before it, in groups of five
    bits, lowest first, a sixth bit for "more follows", as one character from code point 48 on.
    """
    values = counts.copy()
    values[3:] -= counts[1:-2]
    groups = []
    active = np.ones(values.size, bool)
    while active.any():
        bits = values & 31
        values >>= 5
        more = active & np.where(bits & 16, values != -1, values != 0)
        groups.append(np.where(active, bits + 32 * more + 48, 0))
        active = more
    table = np.stack(groups, 1).astype(np.uint8)
    return table[table > 0].tobytes().decode("ascii")
