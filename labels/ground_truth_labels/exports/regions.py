"""Regions of connected pixels of one class: what one annotation for each object wants."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .rle import ClassRuns, runs_of

_Ints = npt.NDArray[np.int64]


def region_runs(mask: npt.NDArray[np.integer]) -> Iterator[ClassRuns]:
    """The runs of each region in a mask of shape (height, width), pixels connected by their sides.

    In the order of the ids, then of each region's first pixel down the columns.
    """
    height, width = mask.shape
    flat = np.asfortranarray(mask).ravel(order="F")
    # A run ends where a column does.
    new = np.concatenate(([True], flat[1:] != flat[:-1]))
    new[::height] = True
    begin = np.flatnonzero(new).astype(np.int64)
    end = np.append(begin[1:], flat.size)
    values = flat[begin]
    region = _connected(begin.size, *_neighbours(begin, end, values, height, height * (width - 1)))
    order = np.lexsort((region, values))
    for runs in np.split(order, np.flatnonzero(np.diff(region[order])) + 1):
        first, last = begin[runs], end[runs]
        apart = first[1:] != last[:-1]
        first, last = first[np.append(True, apart)], last[np.append(apart, True)]
        yield runs_of(int(values[runs[0]]), first, last, flat.size, height)


def _neighbours(
    begin: _Ints, end: _Ints, values: npt.NDArray[np.integer], height: int, before_last: int
) -> tuple[_Ints, _Ints]:
    """Pairs of runs of one class that touch across two columns."""
    runs = np.flatnonzero(begin < before_last)
    low = np.searchsorted(begin, begin[runs] + height, side="right") - 1
    high = np.searchsorted(begin, end[runs] - 1 + height, side="right")
    counts = high - low
    left = np.repeat(runs, counts)
    right = np.arange(left.size) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    same = values[left] == values[right]
    return left[same], right[same]


def _connected(size: int, left: _Ints, right: _Ints) -> _Ints:
    """For each of `size` things the smallest that it is connected with, by way of pairs."""
    root = np.arange(size)
    while True:
        low = np.minimum(root[left], root[right])
        joined = root.copy()
        np.minimum.at(joined, root[left], low)
        np.minimum.at(joined, root[right], low)
        while not np.array_equal(shorter := joined[joined], joined):
            joined = shorter
        if np.array_equal(joined, root):
            return root
        root = joined
