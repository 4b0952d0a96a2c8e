"""Labels of objects that never got all of their answers, made here of those that there are."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import numpy as np

from ._copies import Copy, json_text
from ._painting import color_map_of, colors_of, mask_png
from ._png_indices import read_indexed
from ._times import moment
from .classes import IGNORE, LabelList
from .decode import MaskArray
from .errors import LabelsError, ManifestError, RepairError
from .item import Item
from .manifest import Manifest
from .names import check_attribute
from .opening import ManifestLike, opened
from .parse import SEGMENTATION
from .progress import Progress
from .responses import Answer, WorkerResponses

_PALETTE_CLASSES = 254


@dataclass(frozen=True, kw_only=True)
class PartialResult:
    """What `partial` wrote.

    Attributes:
        manifest: The copy of the manifest, with the labels made here.
        attribute: The label attribute.
        made: Images whose label was made here.
        labeled: Images that had a label, which is the same to the byte.
        missing: Images with fewer answers than wanted; their lines stay as they are.
        problems: Answers that could not be used, and why.
    """

    manifest: str
    attribute: str
    made: int
    labeled: int
    missing: int
    problems: tuple[str, ...] = ()


def partial(
    manifest: ManifestLike,
    target: str | os.PathLike[str],
    *,
    min_answers: int = 1,
    responses: WorkerResponses | None = None,
    attribute: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PartialResult:
    """Make labels of the answers that an ended job has of images it never finished; a copy, as `repair`.

    Each pixel gets the class that most workers gave it, and of as many the one whose answer came first. The
    service can't take such answers back, and promises nothing of them; so these labels are marked, by
    `consolidated-by` and `answers` in their metadata.

    Args:
        manifest: A job that was stopped, expired or failed, or where its manifest is.
        target: A new or empty folder or S3 prefix.
        min_answers: Answers that an image needs, from 1.
        responses: Where the workers' answers are. Default: beside the manifest.
        attribute: The label attribute of the job, also if its lines have labels of earlier jobs. Default: the
            manifest's; a job that finished nothing has none.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        ExportError: The target is not empty, or the attribute's name isn't legal.
        ManifestError: `min_answers`, the attribute or the classes are missing or wrong.
        LabelsError: A line or mask cannot be used.
    """
    manifest = opened(manifest)
    if min_answers < 1:
        raise ManifestError(f"min_answers must be 1 or more, got {min_answers}")
    # A job in which every image failed has its attribute in their reasons alone.
    failed = manifest.scan.attributes
    written = attribute or manifest.attribute or (failed[0] if len(failed) == 1 else None)
    if written is None:
        raise ManifestError(
            f"{manifest.location}: no line says what its labels are called; give attribute=… and labels=… "
            "of the job"
        )
    check_attribute(written)
    # Labels of an earlier job are none of this one.
    manifest = manifest.under(written)
    labels = manifest.labels
    if not 0 < len(labels) <= _PALETTE_CLASSES:
        raise ManifestError(
            f"{manifest.location}: answers need the job's classes, 1 to {_PALETTE_CLASSES}, "
            f"got {len(labels)}; give labels=… (--labels)"
        )
    copy = Copy(manifest, target, verb="partial", attribute=written)
    making = _Making(manifest, written, copy, responses, min_answers)
    location, kinds = making.copy.write(making.item, labels=labels, workers=workers, progress=progress)
    return PartialResult(
        manifest=location,
        attribute=written,
        made=kinds["made"],
        labeled=kinds["labeled"],
        missing=kinds["missing"],
        problems=tuple(making.problems),
    )


class _Making:
    def __init__(
        self,
        manifest: Manifest,
        attribute: str,
        copy: Copy,
        responses: WorkerResponses | None,
        min_answers: int,
    ) -> None:
        self.copy = copy
        self.problems: list[str] = []
        self._attribute = attribute
        # Ids are positions here, whatever the user's are: those of a palette, and 255 is nobody's.
        self._labels = LabelList(manifest.labels.names, origin=manifest.labels.origin)
        place = responses.location if responses else None
        self._responses = WorkerResponses(manifest, location=place, labels=self._labels)
        self._wanted = min_answers
        self._job = next(iter(manifest.scan.jobs.get(attribute, {})), None)
        self._now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")

    def item(self, item: Item) -> tuple[str, str]:
        """One line of the copy."""
        value = json.loads(item.raw)
        if item.mask_ref is not None:
            self.copy.write_mask(item, item.mask_bytes())
            value[item.attribute] = self.copy.reference(item)
            return "labeled", json_text(value)
        answers = self._answers(item)
        if len(answers) < self._wanted:
            return "missing", item.raw
        self._write(item, _most_votes([answer.mask for answer in answers]))
        value[self._attribute] = self.copy.reference(item)
        job = item.job_name or self._job
        value[f"{self._attribute}-metadata"] = {
            "internal-color-map": color_map_of(self._labels),
            "type": SEGMENTATION,
            "human-annotated": "yes",
            "creation-date": self._now,
            **({"job-name": f"labeling-job/{job}"} if job else {}),
            "consolidated-by": "ground-truth-labels",
            "answers": len(answers),
        }
        return "made", json_text(value)

    def _answers(self, item: Item) -> Sequence[Answer]:
        try:
            answers = sorted(self._responses.answers(item), key=_when)
        except LabelsError as error:
            self.problems.append(str(error))
            return ()
        if len({answer.mask.shape for answer in answers}) > 1:
            self.problems.append(f"{item.where}: the answers' masks differ in size")
            return ()
        return answers

    def _write(self, item: Item, ids: MaskArray) -> None:
        location = self.copy.write_mask(item, mask_png(ids, colors_of(self._labels)))
        if not np.array_equal(read_indexed(self.copy.storage.read(location), location).indices, ids):
            self.copy.storage.remove(location)
            raise RepairError(f"{location}: reads back otherwise than it was written; it was removed")


def _when(answer: Answer) -> datetime:
    """When an answer came; one that doesn't say came last."""
    return moment(answer.submitted) or datetime.max


def _most_votes(masks: list[MaskArray]) -> MaskArray:
    """The class that most answers gave to each pixel; of as many, that of the first answer that has it."""
    stacked = np.stack(masks)
    # A colour that no label has is nobody's vote.
    valid = stacked != IGNORE
    votes = np.stack([((stacked == mask) & valid).sum(0) for mask in masks])
    first = votes.argmax(0)
    ids = cast(MaskArray, np.take_along_axis(stacked, first[None], 0)[0])
    ids[ids == IGNORE] = 0
    return ids
