"""How each worker works: how much, how fast, how well, and how often they declined."""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from ._times import moment
from .counts import confusion_matrix
from .errors import LabelsError, ManifestError
from .item import Item
from .manifest import Manifest
from .opening import ManifestLike, opened
from .parallel import ordered_map
from .progress import Progress, tracked
from .responses import WorkerResponses
from .workers import Compared, Comparing, class_ious, mean_iou

#: A pause between two submissions after which a worker counts as away (assumed: nobody paints for an hour).
_PAUSE_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class WorkerQuality:
    """One worker.

    Attributes:
        worker: Pseudonym, or `workerId` where names were asked for.
        images: Number of answers.
        seconds: Median time on an image, or None.
        images_an_hour: Answers for each hour between the first submission and the last, pauses of more than
            an hour left out; None for fewer than two.
        declined: Tasks declined, or None without an activity log.
        returned: Tasks given back, or None without an activity log.
        mean_iou: Agreement with the consolidated labels, mean of `iou` without the background; None if nobody
            labeled anything.
        iou: Class name → intersection over union with the consolidated labels, 0-1.
        known_images: Number of answers on images whose label is known.
        known_iou: As `mean_iou`, with the known labels; None without any.
    """

    worker: str
    images: int
    seconds: float | None
    images_an_hour: float | None
    declined: int | None
    returned: int | None
    mean_iou: float | None
    iou: dict[str, float] = field(repr=False)
    known_images: int
    known_iou: float | None


@dataclass(frozen=True, kw_only=True)
class WorkerQualityResult:
    """All workers of a job.

    Attributes:
        workers: Least agreement first; those with known images by these.
        problems: Responses that could not be used, and why.
    """

    workers: tuple[WorkerQuality, ...]
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


def worker_quality(
    manifest: ManifestLike,
    *,
    responses: WorkerResponses | None = None,
    known: Manifest | None = None,
    activity: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> WorkerQualityResult:
    """Count and measure every worker's answers.

    A consolidated label is made from the answers themselves, so with few workers it flatters each of them.
    Known images don't: images with a label that was made with care beforehand, put among the others.

    Args:
        manifest: The job, or where its manifest is.
        responses: Where the answers are, and whether workers have names. Default: beside the manifest, and
            pseudonyms.
        known: A manifest with the known labels of some of the images, found by `source-ref`.
        activity: Events of the log group `/aws/sagemaker/groundtruth/WorkerActivity`, a JSON object a line
            or as CloudWatch gives them out: who declined and returned how many tasks. Default: not told.
        workers: Threads. Default: one a core.
        progress: Called with the number of images done and None.

    Raises:
        LabelsError: A manifest has an unusable line, or the log is none.
    """
    manifest = opened(manifest)
    given = responses or WorkerResponses(manifest)
    comparing, watching = Comparing(manifest, given), Watching(manifest)
    truths = _known(known, manifest)

    def look(item: Item) -> tuple[Compared, list[Any]]:
        try:
            compared = comparing.compare(item, item.mask())
            truth = truths[item.source_ref].mask() if item.source_ref in truths else None
        except LabelsError as error:
            return Compared(item, [], [], None, str(error)), []
        if truth is None:
            return compared, []
        fitting = [a for a in compared.answers if a.mask.shape == truth.shape]
        return compared, [(a.worker, confusion_matrix(truth, a.mask, comparing.order)) for a in fitting]

    labeled = (item for item in manifest if item.state == "labeled")
    for compared, matrices in tracked(ordered_map(look, labeled, workers=workers), progress, None):
        watching.add(compared)
        for worker, matrix in matrices:
            watching.add_known(worker, matrix)
    if activity is not None:
        watching.add_activity(_events(manifest.storage.read(os.fspath(activity)), os.fspath(activity)), given)
    return watching.result()


def _known(known: Manifest | None, manifest: Manifest) -> dict[str, Item]:
    if known is None:
        return {}
    if known.labels.ids != manifest.labels.ids:
        raise ManifestError(
            f"{known.location}: has other class ids than {manifest.location}; read both with the same labels"
        )
    return {item.source_ref: item for item in known if item.state == "labeled"}


class Watching:
    """Figures under way: `add` in any order, `result` at the end."""

    def __init__(self, manifest: Manifest) -> None:
        self._labels = manifest.labels
        self._matrices: dict[str, Any] = {}
        self._known: dict[str, list[Any]] = {}
        self._seconds: dict[str, list[float]] = {}
        self._submitted: dict[str, list[datetime]] = {}
        self._images: Counter[str] = Counter()
        self._events: dict[str, Counter[str]] | None = None
        self._problems: list[str] = []

    def add(self, compared: Compared) -> None:
        """Count the answers on one image in."""
        if compared.problem:
            self._problems.append(compared.problem)
        for answer, matrix in zip(compared.answers, compared.matrices, strict=True):
            self._images[answer.worker] += 1
            total = self._matrices.get(answer.worker)
            self._matrices[answer.worker] = matrix if total is None else total + matrix
            if answer.seconds is not None:
                self._seconds.setdefault(answer.worker, []).append(answer.seconds)
            submitted = moment(answer.submitted)
            if submitted is not None:
                self._submitted.setdefault(answer.worker, []).append(submitted)

    def add_known(self, worker: str, matrix: Any) -> None:
        """Count an answer on an image in whose label is known."""
        self._known.setdefault(worker, []).append(matrix)

    def add_activity(self, events: Iterator[Mapping[str, Any]], responses: WorkerResponses) -> None:
        """Count the events of an activity log in."""
        self._events = {}
        for event in events:
            worker = responses.name(str(event.get("worker_id") or "unknown"))
            self._events.setdefault(worker, Counter())[str(event.get("event_type"))] += 1

    def result(self) -> WorkerQualityResult:
        """What was counted."""
        names = sorted({*self._images, *(self._events or {})})
        found = [self._worker(name) for name in names]
        found.sort(key=lambda w: (w.known_iou is None, w.known_iou or 0, w.mean_iou is None, w.mean_iou or 0))
        return WorkerQualityResult(workers=tuple(found), problems=tuple(self._problems))

    def _worker(self, name: str) -> WorkerQuality:
        known = self._known.get(name, [])
        events = None if self._events is None else self._events.get(name, Counter())
        seconds = self._seconds.get(name)
        matrix = self._matrices.get(name)
        ious = {} if matrix is None else class_ious(matrix, self._labels)
        return WorkerQuality(
            worker=name,
            images=self._images[name],
            seconds=statistics.median(seconds) if seconds else None,
            images_an_hour=_rate(self._submitted.get(name, [])),
            declined=None if events is None else events["TasksDeclined"],
            returned=None if events is None else events["TasksReturned"],
            mean_iou=mean_iou(ious),
            iou=ious,
            known_images=len(known),
            known_iou=mean_iou(class_ious(np.sum(known, 0), self._labels)) if known else None,
        )


def _answered(text: str) -> list[str] | None:
    """The messages in an answer of the API, as the command line prints it; None for anything else."""
    try:
        whole = json.loads(text)
    except ValueError:
        # Several lines of JSON are none.
        return None
    if not isinstance(whole, Mapping) or not isinstance(whole.get("events"), list):
        return None
    return [entry["message"] for entry in whole["events"]]


def _rate(moments: list[datetime]) -> float | None:
    ordered = sorted(moments)
    gaps = [(b - a).total_seconds() for a, b in pairwise(ordered)]
    worked = [gap for gap in gaps if gap <= _PAUSE_SECONDS]
    return 3600 * len(worked) / sum(worked) if worked and sum(worked) else None


def _events(data: bytes, where: str) -> Iterator[Mapping[str, Any]]:
    """Events of the log: a JSON object a line, or `{"events": [{"message": "…"}]}` as the API answers."""
    try:
        text = data.decode("utf-8-sig")
        lines = _answered(text)
        if lines is None:
            lines = [line for line in text.split("\n") if line.strip()]
        found = [json.loads(line) for line in lines]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ManifestError(f"{where}: must be events of the worker activity log: {error!r}") from error
    if not all(isinstance(event, Mapping) and "event_type" in event for event in found):
        raise ManifestError(
            f"{where}: must be events of the worker activity log, a JSON object with 'event_type' each"
        )
    return iter(found)
