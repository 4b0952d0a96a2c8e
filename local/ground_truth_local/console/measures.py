"""How far workers disagree on one picture: by pixel, by class, by worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ground_truth_labels import LabelList

Mask = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class ClassMeasure:
    """One class on one picture."""

    name: str
    pixels: int
    """Of the vote."""
    unanimous: float
    """Share of the pixels that anybody gave this class on which all did."""


@dataclass(frozen=True, kw_only=True)
class WorkerMeasure:
    """One worker on one picture, against the vote."""

    worker: str
    seconds: float | None
    same: float
    """Share of pixels with the vote's class."""
    overlap: float | None
    """Mean intersection over union of the classes but the background; None if there are none."""


def minority(masks: Sequence[Mask]) -> npt.NDArray[np.float32]:
    """Return for each pixel the share of workers who didn't choose its most chosen class."""
    if not masks:
        raise ValueError("there is no mask to compare")
    best = np.zeros(masks[0].shape, np.uint8)
    for class_id in _ids(masks):
        best = np.maximum(best, sum((mask == class_id).astype(np.uint8) for mask in masks))
    return (1 - best / len(masks)).astype(np.float32)


def _ids(masks: Sequence[Mask]) -> list[int]:
    return sorted({int(one) for mask in masks for one in np.unique(mask)})


def by_class(vote: Mask, masks: Sequence[Mask], labels: LabelList) -> list[ClassMeasure]:
    """Return the classes that anybody used, the least agreed in front."""
    found = []
    for name in labels.names:
        class_id = labels.ids[name]
        chosen = [mask == class_id for mask in masks] or [vote == class_id]
        anybody, everybody = np.logical_or.reduce(chosen), np.logical_and.reduce(chosen)
        if anybody.any():
            share = float(everybody.sum() / anybody.sum())
            found.append(ClassMeasure(name=name, pixels=int((vote == class_id).sum()), unanimous=share))
    return sorted(found, key=lambda one: one.unanimous)


def by_worker(
    vote: Mask, workers: Sequence[tuple[str, float | None, Mask]], labels: LabelList
) -> list[WorkerMeasure]:
    """Return the workers in the order of their answers."""
    return [
        WorkerMeasure(
            worker=worker,
            seconds=seconds,
            same=float((mask == vote).mean()),
            overlap=_overlap(vote, mask, [labels.ids[name] for name in labels.names]),
        )
        for worker, seconds, mask in workers
    ]


def _overlap(first: Mask, second: Mask, ids: Sequence[int]) -> float | None:
    shares = []
    for class_id in ids:
        one, other = first == class_id, second == class_id
        either = (one | other).sum()
        if either:
            shares.append(float((one & other).sum() / either))
    return float(np.mean(shares)) if shares else None
