"""What a report needs, gathered in two streamed passes."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from ..checks import CheckResult, check
from ..classes import LabelList
from ..errors import LabelsError
from ..item import Item
from ..manifest import Manifest
from ..parallel import ordered_map
from ..progress import Progress, tracked
from ..responses import WorkerResponses
from ..workers import AgreementResult, ImageAgreement, agreement
from .pictures import thumbnail

_BINS = 20


@dataclass(frozen=True, kw_only=True)
class Example:
    """One picture: an image under its label.

    Attributes:
        item: The object.
        share: Share of the image that the class covers, 0-1.
        picture: Data URI.
    """

    item: Item
    share: float
    picture: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One image with everybody's masks.

    Attributes:
        agreement: The numbers.
        pictures: Caption and data URI: image, consolidated label, each worker.
    """

    agreement: ImageAgreement
    pictures: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Everything that the page shows.

    Attributes:
        labels: The label list.
        check: Findings and class shares.
        agreement: None without worker responses.
        examples: Class name → pictures, largest share first.
        comparisons: Least agreement first.
        confidence: Number of images in each of 20 equal steps from 0 to 1.
        human: Number of images labeled by people, and by automated labeling.
        jobs: Names of the jobs.
        waiting: The first objects without a label, with a reason.
        dates: First and last creation date.
    """

    labels: LabelList
    check: CheckResult
    agreement: AgreementResult | None
    examples: dict[str, tuple[Example, ...]]
    comparisons: tuple[Comparison, ...]
    confidence: tuple[int, ...]
    human: tuple[int, int]
    jobs: tuple[str, ...]
    waiting: tuple[tuple[int, str, str], ...]
    dates: tuple[str, str] | None


def gather(
    manifest: Manifest, *, examples: int, comparisons: int, workers: int | None, progress: Progress | None
) -> Gathered:
    """Two passes over the masks, one over the responses; pictures only of what is shown."""
    checked = check(manifest, workers=workers, progress=progress)
    labels = manifest.labels
    best: dict[str, list[tuple[float, int, Item]]] = {}
    bins, people, jobs = [0] * _BINS, Counter[bool | None](), Counter[str]()
    waiting: list[tuple[int, str, str]] = []
    dates: list[str] = []
    results = ordered_map(_shares, manifest.items(), workers=workers)
    for item, shares in tracked(results, progress, checked.lines):
        if item.state != "labeled":
            if len(waiting) < 200:
                waiting.append((item.line, item.source_ref, item.failure or str(item.error or item.state)))
            continue
        people[item.human] += 1
        jobs[item.job_name or ""] += 1
        dates = _range(dates, item.created)
        if item.confidence is not None:
            bins[min(_BINS - 1, max(0, int(item.confidence * _BINS)))] += 1
        for class_id, share in shares.items():
            name = labels.by_id.get(class_id)
            if name and name != "BACKGROUND":
                _keep(best.setdefault(name, []), (share, -item.line, item), examples)
    compared = _agreement(manifest, workers)
    return Gathered(
        labels=labels,
        check=checked,
        agreement=compared,
        examples={n: tuple(_example(e, labels) for e in _sorted(best.get(n, []))) for n in labels.names},
        comparisons=_comparisons(manifest, compared, comparisons),
        confidence=tuple(bins),
        human=(people[True], people[False]),
        jobs=tuple(name for name, _ in jobs.most_common() if name),
        waiting=tuple(waiting),
        dates=(dates[0], dates[1]) if dates else None,
    )


def _shares(item: Item) -> tuple[Item, dict[int, float]]:
    import numpy as np

    if item.state != "labeled":
        return item, {}
    try:
        counts = np.bincount((mask := item.mask()).ravel())
    except LabelsError:
        return item, {}
    return item, {int(i): float(counts[i] / mask.size) for i in np.flatnonzero(counts)}


def _range(dates: list[str], created: str | None) -> list[str]:
    return dates if created is None else [min([*dates, created]), max([*dates, created])]


def _keep(heap: list[tuple[float, int, Item]], entry: tuple[float, int, Item], count: int) -> None:
    # Lines are unique, so two entries never tie down to the item, which has no order.
    heapq.heappush(heap, entry)
    if len(heap) > count:
        heapq.heappop(heap)


def _sorted(heap: list[tuple[float, int, Item]]) -> list[tuple[float, int, Item]]:
    return sorted(heap, key=lambda e: (-e[0], -e[1]))


def _example(entry: tuple[float, int, Item], labels: LabelList) -> Example:
    share, _, item = entry
    try:
        picture = thumbnail(item.image(), item.mask(), labels)
    except LabelsError:
        picture = ""
    return Example(item=item, share=share, picture=picture)


def _agreement(manifest: Manifest, workers: int | None) -> AgreementResult | None:
    responses = WorkerResponses(manifest)
    if not len(responses):
        return None
    try:
        return agreement(manifest, responses=responses, workers=workers)
    except LabelsError:
        # An unusable line is in the findings already.
        return None


def _comparisons(manifest: Manifest, result: AgreementResult | None, count: int) -> tuple[Comparison, ...]:
    wanted = {i.line: i for i in result.images[:count]} if result else {}
    if not wanted:
        return ()
    responses = WorkerResponses(manifest)
    found = {}
    for item in manifest.items():
        if item.line in wanted:
            found[item.line] = _comparison(item, wanted[item.line], responses, manifest.labels)
    return tuple(found[line] for line in wanted)


def _comparison(
    item: Item, numbers: ImageAgreement, responses: WorkerResponses, labels: LabelList
) -> Comparison:
    try:
        image = item.image()
    except LabelsError:
        return Comparison(agreement=numbers, pictures=())
    pictures = [
        ("Image", thumbnail(image, None, labels, longest=400)),
        ("Consolidated", thumbnail(image, item.mask(), labels, longest=400)),
    ]
    for answer in responses.answers(item):
        caption = f"{answer.worker} · {numbers.workers.get(answer.worker, 0):.1%}"
        pictures.append((caption, thumbnail(image, answer.mask, labels, longest=400)))
    return Comparison(agreement=numbers, pictures=tuple(pictures))
