"""What a report needs, gathered in one streamed pass over the masks, each decoded once."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from ..checks import Checking, CheckResult, ItemCheck
from ..classes import LabelList
from ..errors import LabelsError
from ..item import Item
from ..manifest import Manifest
from ..parallel import ordered_map
from ..progress import Progress, tracked
from ..quality import Watching, WorkerQualityResult
from ..responses import WorkerResponses
from ..workers import AgreementResult, Compared, Comparing, ImageAgreement
from .pictures import Small, shrink, thumbnail

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
        quality: How each worker works; None without worker responses.
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
    quality: WorkerQualityResult | None
    examples: dict[str, tuple[Example, ...]]
    comparisons: tuple[Comparison, ...]
    confidence: tuple[int, ...]
    human: tuple[int, int]
    jobs: tuple[str, ...]
    waiting: tuple[tuple[int, str, str], ...]
    dates: tuple[str, str] | None


#: Longest side of an example and of a comparison, in pixels.
_EXAMPLE, _COMPARISON = 520, 400


@dataclass(frozen=True)
class _Looked:
    """What a worker thread made of one object: numbers, and the masks small enough to be kept."""

    checked: ItemCheck
    shares: dict[int, float]
    small: Small | None
    compared: Compared | None
    answers: list[tuple[str, Small]]


def gather(
    manifest: Manifest,
    *,
    examples: int,
    comparisons: int,
    names: bool,
    workers: int | None,
    progress: Progress | None,
) -> Gathered:
    """One pass over masks and answers; then pictures, of what is shown alone."""
    labels = manifest.labels
    # Answers are found by a job's own object numbers.
    responses = WorkerResponses(manifest, names=names) if len(manifest.parts) == 1 else None
    comparing = Comparing(manifest, responses) if responses is not None and len(responses) else None
    checking, watching = Checking(manifest), Watching(manifest)
    best: dict[str, list[tuple[float, int, Item]]] = {}
    least: list[tuple[float, int, _Looked]] = []
    kept: dict[int, Small] = {}
    bins, people, jobs = [0] * _BINS, Counter[bool | None](), Counter[str]()
    waiting: list[tuple[int, str, str]] = []
    dates: list[str] = []

    def look(item: Item) -> _Looked:
        return _look(item, checking, comparing)

    results = ordered_map(look, manifest.items(), workers=workers)
    for looked in tracked(results, progress, len(manifest)):
        item = looked.checked.item
        checking.add(looked.checked)
        if item.state != "labeled":
            if len(waiting) < 200:
                waiting.append((item.line, item.source_ref, item.failure or str(item.error or item.state)))
            continue
        people[item.human] += 1
        jobs[item.job_name or ""] += 1
        dates = _range(dates, item.created)
        if item.confidence is not None:
            bins[min(_BINS - 1, max(0, int(item.confidence * _BINS)))] += 1
        for class_id, share in looked.shares.items():
            name = labels.by_id.get(class_id)
            if name and name != "BACKGROUND":
                _keep(best.setdefault(name, []), (share, -item.index, item), examples)
        _keep_small(kept, best, looked)
        if looked.compared is not None and comparing is not None:
            watching.add(looked.compared)
            image = comparing.add(looked.compared)
            if image is not None:
                mean = image.mean_iou
                _keep(least, (-1.0 if mean is None else 1 - mean, -item.line, looked), comparisons)
    compared = comparing.result() if comparing is not None else None
    return Gathered(
        labels=labels,
        check=checking.result(),
        agreement=compared,
        quality=watching.result() if comparing is not None else None,
        examples=_examples(best, kept, labels, workers),
        comparisons=_comparisons(
            compared, {looked.checked.item.line: looked for *_, looked in least}, labels
        ),
        confidence=tuple(bins),
        human=(people[True], people[False]),
        jobs=tuple(name for name, _ in jobs.most_common() if name),
        waiting=tuple(waiting),
        dates=(dates[0], dates[1]) if dates else None,
    )


def _look(item: Item, checking: Checking, comparing: Comparing | None) -> _Looked:
    checked = checking.look(item)
    mask = checked.mask
    if mask is None:
        return _Looked(checked, {}, None, None, [])
    shares = {i: count / mask.size for i, count in checked.counts.items()}
    compared = comparing.compare(item, mask) if comparing is not None else None
    answers = compared.answers if compared is not None else []
    small = [(a.worker, shrink(a.mask, _COMPARISON)) for a in answers]
    if compared is not None:
        # The answers' masks are as large as the label's; what waits for its turn keeps numbers alone.
        compared = replace(compared, answers=[replace(a, mask=a.mask[:0]) for a in answers])
    return _Looked(replace(checked, mask=None), shares, shrink(mask, _EXAMPLE), compared, small)


def _range(dates: list[str], created: str | None) -> list[str]:
    return dates if created is None else [min([*dates, created]), max([*dates, created])]


def _keep(heap: list[tuple[float, int, Any]], entry: tuple[float, int, Any], count: int) -> None:
    # Positions are unique, so two entries never tie down to the third, which has no order.
    heapq.heappush(heap, entry)
    if len(heap) > count:
        heapq.heappop(heap)


def _keep_small(
    kept: dict[int, Small], best: dict[str, list[tuple[float, int, Item]]], looked: _Looked
) -> None:
    """Keep the small mask while its object is among the examples of any class."""
    assert looked.small is not None or not looked.shares
    index = looked.checked.item.index
    shown = {-entry[1] for heap in best.values() for entry in heap}
    if looked.small is not None and index in shown:
        kept[index] = looked.small
    for gone in kept.keys() - shown:
        del kept[gone]


def _examples(
    best: dict[str, list[tuple[float, int, Item]]],
    kept: dict[int, Small],
    labels: LabelList,
    workers: int | None,
) -> dict[str, tuple[Example, ...]]:
    """The pictures, each made once however many classes show it."""
    shown = {item.index: item for heap in best.values() for _, _, item in heap}

    def picture(item: Item) -> tuple[int, str]:
        try:
            return item.index, thumbnail(item.image(), kept.get(item.index), labels, longest=_EXAMPLE)
        except LabelsError:
            return item.index, ""

    pictures = dict(ordered_map(picture, shown.values(), workers=workers))
    return {
        name: tuple(
            Example(item=item, share=share, picture=pictures[item.index])
            for share, _, item in sorted(best.get(name, []), key=lambda e: (-e[0], -e[1]))
        )
        for name in labels.names
    }


def _comparisons(
    result: AgreementResult | None, looked: dict[int, _Looked], labels: LabelList
) -> tuple[Comparison, ...]:
    images = result.images if result else ()
    return tuple(_comparison(looked[i.line], i, labels) for i in images if i.line in looked)


def _comparison(looked: _Looked, numbers: ImageAgreement, labels: LabelList) -> Comparison:
    try:
        image = looked.checked.item.image()
    except LabelsError:
        return Comparison(agreement=numbers, pictures=())
    pictures = [
        ("Image", thumbnail(image, None, labels, longest=_COMPARISON)),
        ("Consolidated", thumbnail(image, looked.small, labels, longest=_COMPARISON)),
    ]
    for worker, mask in looked.answers:
        caption = f"{worker} · {numbers.workers.get(worker, 0):.1%}"
        pictures.append((caption, thumbnail(image, mask, labels, longest=_COMPARISON)))
    return Comparison(agreement=numbers, pictures=tuple(pictures))
