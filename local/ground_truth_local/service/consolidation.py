"""Annotation consolidation of image semantic segmentation.

The guide ("Consolidate Annotations"): each pixel is a multi-class classification, the workers' pixels are
votes, and "more information from surrounding pixels" comes in through a smoothing function. How AWS weighs
the neighbours is not published. Here a pixel's own vote counts ten times a neighbour's: agreeing workers are
never overruled (nor is a single one), and a lone dissenting pixel gives way to what lies around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .masks import Mask

MAX_WORKERS = 9
_OWN_WEIGHT = 9  # besides the one in the 3 x 3 sum; 9 workers x (9 + 9) = 162 fits in a byte
_BAND_ROWS = 512


@dataclass(frozen=True)
class Consolidated:
    """The mask of the vote, and how far the workers agreed on it."""

    mask: Mask
    confidence: float
    """Mean share of the workers who voted for a pixel's class; 0.0 with a single worker, as documented."""


def consolidate(masks: Sequence[Mask]) -> Consolidated:
    """Let one to nine masks of one size vote on each pixel; a tie goes to the lower class id.

    Worked through in bands of rows, so that memory stays flat besides the masks themselves.
    """
    if not 1 <= len(masks) <= MAX_WORKERS:
        raise ValueError(f"one to {MAX_WORKERS} masks can be consolidated, got {len(masks)}")
    if len({mask.shape for mask in masks}) != 1:
        raise ValueError("the masks differ in size")
    if len(masks) == 1:
        return Consolidated(masks[0].copy(), 0.0)
    height, width = masks[0].shape
    result = np.empty((height, width), dtype=masks[0].dtype)
    agreeing = 0
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        # One row more on either side, so that no seam shows between bands.
        first, last = max(top - 1, 0), min(bottom + 1, height)
        winner, votes = _vote([mask[first:last] for mask in masks])
        result[top:bottom] = winner[top - first : bottom - first]
        agreeing += int(votes[top - first : bottom - first].sum(dtype=np.int64))
    return Consolidated(result, agreeing / (len(masks) * height * width))


def _vote(bands: Sequence[Mask]) -> tuple[Mask, npt.NDArray[np.uint8]]:
    """Return the class of each pixel and how many workers voted for it."""
    present = np.flatnonzero(sum(np.bincount(band.ravel(), minlength=65_536) for band in bands))
    best = np.zeros(bands[0].shape, dtype=np.uint8)
    winner = np.zeros(bands[0].shape, dtype=bands[0].dtype)
    winner_votes = np.zeros(bands[0].shape, dtype=np.uint8)
    for class_id in present:
        votes = np.zeros(bands[0].shape, dtype=np.uint8)
        for band in bands:
            votes += band == class_id
        score = votes * np.uint8(_OWN_WEIGHT) + _sum_3x3(votes)
        better = score > best
        np.copyto(best, score, where=better)
        np.copyto(winner_votes, votes, where=better)
        winner[better] = class_id
    return winner, winner_votes


def _sum_3x3(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    rows = values.copy()
    rows[1:] += values[:-1]
    rows[:-1] += values[1:]
    total = rows.copy()
    total[:, 1:] += rows[:, :-1]
    total[:, :-1] += rows[:, 1:]
    return total
