"""How far workers agree: with the consolidated label, and with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from .classes import LabelList
from .decode import MaskArray
from .errors import LabelsError
from .item import Item
from .manifest import Manifest
from .parallel import ordered_map
from .progress import Progress, tracked
from .responses import Answer, WorkerResponses

_Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class WorkerAgreement:
    """One worker against the consolidated labels.

    Attributes:
        worker: `workerId`.
        images: Number of images.
        pixel_agreement: Share of pixels with the same class, 0-1.
        iou: Class name → intersection over union, 0-1; classes that neither used are absent.
        mean_iou: Mean of `iou`, the background left out; None if nothing is left.
        seconds: Mean time on an image, or None.
    """

    worker: str
    images: int
    pixel_agreement: float
    iou: dict[str, float]
    mean_iou: float | None
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class ImageAgreement:
    """All workers on one image.

    Attributes:
        line: Line of the manifest.
        source_ref: The image.
        workers: Worker → share of pixels equal to the consolidated label.
        pairwise: Mean share of pixels on which two workers agree; None with one worker.
        mean_iou: Mean over workers and classes, background left out; None if nobody labeled anything.
    """

    line: int
    source_ref: str
    workers: dict[str, float]
    pairwise: float | None
    mean_iou: float | None


@dataclass(frozen=True, kw_only=True)
class AgreementResult:
    """Agreement over a whole job.

    Attributes:
        classes: Class names in the order of `confusion`, the background first.
        workers: Every worker, least agreement first.
        images: Every image with answers, least agreement first.
        iou: Class name → IoU of all workers with the consolidated label, worst first.
        confusion: Pixels, row: consolidated class, column: worker's class.
        look_at: Sentences: which worker, class or confusion to look at.
        problems: Responses that could not be used, and why.
    """

    classes: tuple[str, ...]
    workers: tuple[WorkerAgreement, ...]
    images: tuple[ImageAgreement, ...]
    iou: dict[str, float]
    confusion: tuple[tuple[int, ...], ...] = field(repr=False)
    look_at: tuple[str, ...]
    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Compared:
    item: Item
    matrices: list[tuple[Answer | None, str, float | None, _Matrix]]
    pairwise: float | None
    problem: str | None = None


def agreement(
    manifest: Manifest,
    *,
    responses: WorkerResponses | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> AgreementResult:
    """Compare every worker's mask with the consolidated one, and the workers with each other.

    Args:
        manifest: The job.
        responses: Where the answers are. Default: beside the manifest, in `annotations/worker-response`.
        workers: Threads. Default: one a core.
        progress: Called with the number of images done and None.

    Raises:
        LabelsError: The manifest has an unusable line.
    """
    given = responses or WorkerResponses(manifest)
    labels = manifest.labels
    order = [labels.background, *(labels.ids[name] for name in labels.names)]
    labeled = (item for item in manifest if item.state == "labeled")
    results = ordered_map(lambda item: _compare(item, given, order), labeled, workers=workers)
    totals: dict[str, _Matrix] = {}
    times: dict[str, list[float | None]] = {}
    images, problems = [], []
    for result in tracked(results, progress, None):
        if result.problem:
            problems.append(result.problem)
        for _, worker, seconds, matrix in result.matrices:
            totals[worker] = totals[worker] + matrix if worker in totals else matrix
            times.setdefault(worker, []).append(seconds)
        if result.matrices:
            images.append(_image(result, labels))
    return _summary(labels, totals, times, images, problems)


def _compare(item: Item, responses: WorkerResponses, order: Sequence[int]) -> _Compared:
    try:
        truth = item.mask()
        answers = list(responses.answers(item))
        odd = [a for a in answers if a.mask.shape != truth.shape]
        answers = [a for a in answers if a.mask.shape == truth.shape]
    except LabelsError as error:
        return _Compared(item, [], None, str(error))
    matrices: list[tuple[Answer | None, str, float | None, _Matrix]] = [
        (None, a.worker, a.seconds, confusion_matrix(truth, a.mask, order)) for a in answers
    ]
    pairs = [float((a.mask == b.mask).mean()) for a, b in combinations(answers, 2)]
    problem = (
        f"{item.where}: answers of {[a.worker for a in odd]} differ in size from the mask" if odd else None
    )
    return _Compared(item, matrices, float(np.mean(pairs)) if pairs else None, problem)


def confusion_matrix(truth: MaskArray, other: MaskArray, order: Sequence[int]) -> _Matrix:
    """Pixels by class in `truth` (row) and `other` (column); ids outside `order` are left out."""
    size = len(order)
    position = np.full(65_537, size, np.int64)
    position[list(order)] = range(size)
    joint = position[truth] * (size + 1) + position[other]
    counts = np.bincount(joint.ravel(), minlength=(size + 1) ** 2)
    matrix: _Matrix = counts.reshape(size + 1, size + 1)[:size, :size]
    return matrix


def _ious(matrix: _Matrix, labels: LabelList) -> dict[str, float]:
    names = ("BACKGROUND", *labels.names)
    both = np.diag(matrix)
    either = matrix.sum(0) + matrix.sum(1) - both
    return {n: float(b / e) for n, b, e in zip(names, both, either, strict=True) if e}


def _mean(ious: dict[str, float]) -> float | None:
    values = [v for name, v in ious.items() if name != "BACKGROUND"]
    return float(np.mean(values)) if values else None


def _image(result: _Compared, labels: LabelList) -> ImageAgreement:
    shares = {w: float(np.trace(m) / max(m.sum(), 1)) for _, w, _, m in result.matrices}
    means = [_mean(_ious(m, labels)) for *_, m in result.matrices]
    known = [m for m in means if m is not None]
    return ImageAgreement(
        line=result.item.line,
        source_ref=result.item.source_ref,
        workers=shares,
        pairwise=result.pairwise,
        mean_iou=float(np.mean(known)) if known else None,
    )


def _summary(
    labels: LabelList,
    totals: dict[str, _Matrix],
    times: dict[str, list[float | None]],
    images: list[ImageAgreement],
    problems: list[str],
) -> AgreementResult:
    names = ("BACKGROUND", *labels.names)
    everything = sum(totals.values(), np.zeros((len(names), len(names)), np.int64))
    people = [_worker(name, matrix, times[name], labels) for name, matrix in sorted(totals.items())]
    people.sort(key=lambda w: (w.mean_iou is None, w.mean_iou or 0, w.worker))
    images.sort(key=lambda i: (i.mean_iou is None, i.mean_iou or 0, i.line))
    iou = dict(sorted(_ious(everything, labels).items(), key=lambda e: e[1]))
    return AgreementResult(
        classes=names,
        workers=tuple(people),
        images=tuple(images),
        iou=iou,
        confusion=tuple(tuple(int(v) for v in row) for row in everything),
        look_at=tuple(_look_at(people, iou, everything, names)),
        problems=tuple(problems),
    )


def _worker(name: str, matrix: _Matrix, times: list[float | None], labels: LabelList) -> WorkerAgreement:
    ious = _ious(matrix, labels)
    known = [t for t in times if t is not None]
    return WorkerAgreement(
        worker=name,
        images=len(times),
        pixel_agreement=float(np.trace(matrix) / max(matrix.sum(), 1)),
        iou=ious,
        mean_iou=_mean(ious),
        seconds=float(np.mean(known)) if known else None,
    )


def _look_at(
    people: list[WorkerAgreement], iou: dict[str, float], matrix: _Matrix, names: tuple[str, ...]
) -> list[str]:
    told = []
    scored = [w for w in people if w.mean_iou is not None]
    if len(scored) > 1:
        worst, rest = scored[0], [w.mean_iou or 0 for w in scored[1:]]
        gap = float(np.mean(rest)) - (worst.mean_iou or 0)
        if gap > 0.05:
            told.append(
                f"worker {worst.worker}: mean IoU {worst.mean_iou:.2f}, "
                f"the others {np.mean(rest):.2f} on average"
            )
    classes = {n: v for n, v in iou.items() if n != "BACKGROUND"}
    if classes:
        name, value = next(iter(classes.items()))
        if value < 0.9:
            told.append(f"class {name!r}: IoU {value:.2f}, the lowest of {len(classes)}")
    confused = matrix.copy()
    np.fill_diagonal(confused, 0)
    confused = confused + confused.T
    if confused.any():
        a, b = sorted(np.unravel_index(int(confused.argmax()), confused.shape))
        share = confused[a, b] / max(1, np.triu(confused).sum())
        told.append(f"{names[a]!r} and {names[b]!r} are confused most: {share:.0%} of all differing pixels")
    return told
