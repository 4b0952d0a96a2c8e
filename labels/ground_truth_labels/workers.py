"""How far workers agree: with the consolidated label, and with each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from .classes import LabelList
from .counts import confusion_matrix
from .decode import MaskArray
from .errors import LabelsError, ManifestError
from .item import Item
from .manifest import Manifest
from .opening import ManifestLike, opened
from .parallel import ordered_map
from .progress import Progress, tracked
from .responses import Answer, WorkerResponses

_Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class WorkerAgreement:
    """One worker against the consolidated labels.

    Attributes:
        worker: Pseudonym, or `workerId` where names were asked for.
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
class Compared:
    """All answers on one image against the consolidated label.

    Attributes:
        item: The image.
        answers: The answers that could be compared.
        matrices: For each of them, pixels by class in the label (row) and in the answer (column).
        pairwise: Mean share of pixels on which two workers agree; None with one worker.
        problem: What was wrong with the rest.
    """

    item: Item
    answers: list[Answer]
    matrices: list[_Matrix]
    pairwise: float | None
    problem: str | None = None


class Comparing:
    """A comparison under way: `compare` on any thread, `add` in order, `result` at the end.

    Raises:
        ManifestError: The responses are those of a manifest with other class ids.
    """

    def __init__(self, manifest: Manifest, responses: WorkerResponses) -> None:
        self.labels = manifest.labels
        if responses.classes != self.labels.ids:
            raise ManifestError(
                f"{responses.location}: the answers are read with other class ids than {manifest.location}; "
                "make WorkerResponses of the same manifest"
            )
        self.responses = responses
        self.order = [self.labels.background, *(self.labels.ids[name] for name in self.labels.names)]
        self._totals: dict[str, _Matrix] = {}
        self._times: dict[str, list[float | None]] = {}
        self._images: list[ImageAgreement] = []
        self._problems: list[str] = []

    def compare(self, item: Item, truth: MaskArray) -> Compared:
        """The answers on one labeled object, whose consolidated mask is `truth`."""
        try:
            found = list(self.responses.answers(item))
        except LabelsError as error:
            return Compared(item, [], [], None, str(error))
        answers = [a for a in found if a.mask.shape == truth.shape]
        odd = [a.worker for a in found if a.mask.shape != truth.shape]
        matrices = [confusion_matrix(truth, a.mask, self.order) for a in answers]
        pairs = [float((a.mask == b.mask).mean()) for a, b in combinations(answers, 2)]
        problem = f"{item.where}: answers of {odd} differ in size from the mask" if odd else None
        return Compared(item, answers, matrices, float(np.mean(pairs)) if pairs else None, problem)

    def add(self, compared: Compared) -> ImageAgreement | None:
        """Count one object in; its numbers, if it has answers."""
        if compared.problem:
            self._problems.append(compared.problem)
        for answer, matrix in zip(compared.answers, compared.matrices, strict=True):
            total = self._totals.get(answer.worker)
            self._totals[answer.worker] = matrix if total is None else total + matrix
            self._times.setdefault(answer.worker, []).append(answer.seconds)
        if not compared.matrices:
            return None
        image = _image(compared, self.labels)
        self._images.append(image)
        return image

    def result(self) -> AgreementResult:
        """What was counted."""
        return _summary(self.labels, self._totals, self._times, self._images, self._problems)


def agreement(
    manifest: ManifestLike,
    *,
    responses: WorkerResponses | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> AgreementResult:
    """Compare every worker's mask with the consolidated one, and the workers with each other.

    Args:
        manifest: The job, or where its manifest is.
        responses: Where the answers are. Default: beside the manifest, in `annotations/worker-response`.
        workers: Threads. Default: one a core.
        progress: Called with the number of images done and None.

    Raises:
        LabelsError: The manifest has an unusable line.
    """
    manifest = opened(manifest)
    comparing = Comparing(manifest, responses or WorkerResponses(manifest))

    def compare(item: Item) -> Compared:
        try:
            return comparing.compare(item, item.mask())
        except LabelsError as error:
            return Compared(item, [], [], None, str(error))

    labeled = (item for item in manifest if item.state == "labeled")
    for compared in tracked(ordered_map(compare, labeled, workers=workers), progress, None):
        comparing.add(compared)
    return comparing.result()


def class_ious(matrix: _Matrix, labels: LabelList) -> dict[str, float]:
    """Class name → intersection over union, 0-1, for the classes that either side used."""
    names = ("BACKGROUND", *labels.names)
    both = np.diag(matrix)
    either = matrix.sum(0) + matrix.sum(1) - both
    return {n: float(b / e) for n, b, e in zip(names, both, either, strict=True) if e}


def mean_iou(ious: dict[str, float]) -> float | None:
    """Mean over the classes but the background, or None without any."""
    values = [v for name, v in ious.items() if name != "BACKGROUND"]
    return float(np.mean(values)) if values else None


def _image(compared: Compared, labels: LabelList) -> ImageAgreement:
    pairs = list(zip(compared.answers, compared.matrices, strict=True))
    means = [mean_iou(class_ious(matrix, labels)) for matrix in compared.matrices]
    known = [m for m in means if m is not None]
    return ImageAgreement(
        line=compared.item.line,
        source_ref=compared.item.source_ref,
        workers={a.worker: float(np.trace(m) / max(m.sum(), 1)) for a, m in pairs},
        pairwise=compared.pairwise,
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
    iou = dict(sorted(class_ious(everything, labels).items(), key=lambda e: e[1]))
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
    ious = class_ious(matrix, labels)
    known = [t for t in times if t is not None]
    return WorkerAgreement(
        worker=name,
        images=len(times),
        pixel_agreement=float(np.trace(matrix) / max(matrix.sum(), 1)),
        iou=ious,
        mean_iou=mean_iou(ious),
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
