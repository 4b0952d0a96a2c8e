"""A job's results as they come in: the manifests that the service has written, and the workers' answers."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from ground_truth_labels import Item, LabelList, LabelsError, Manifest, WorkerResponses, read_manifest

from .account import Account, AccountError, JobView

_OUTPUT = "manifests/output/output.manifest"
_DATASET = re.compile(r"manifests/intermediate/(\d+)/output\.manifest")
_BATCH = re.compile(r"annotations/intermediate/(\d+)/annotations\.manifest")
_NUMBER = re.compile(r"/(\d+)_[^/]*$")
_KEPT = 24
Mask = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One object with a label."""

    number: int
    """The service's own number of the object, by which its files are named."""
    item: Item


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One object that failed, in the service's words."""

    line: int
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """What there is by now."""

    manifest: str
    labels: LabelList
    labeled: list[Result]
    failed: list[Failure]
    problems: list[str]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One object, with all that was answered for it."""

    result: Result
    labels: LabelList
    picture: npt.NDArray[np.uint8]
    vote: Mask
    workers: list[tuple[str, float | None, Mask]]
    problems: list[str]


class ResultBook:
    """The results of an account's jobs; the last few objects that were looked at stay in memory."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._looked: OrderedDict[tuple[str, int, str], Looked] = OrderedDict()
        self._lock = Lock()

    def results(self, job: JobView) -> Results:
        """Return what the job has by now, in the order of its manifest."""
        return self._account.fresh(("results", job.name), lambda: self._read(job))

    def look(self, job: JobView, number: int) -> Looked:
        """Return one object with picture, vote and the workers' masks.

        Raises:
            AccountError: there is no such result, or it can't be read.
        """
        results = self.results(job)
        found = next((one for one in results.labeled if one.number == number), None)
        if found is None:
            raise AccountError(f"Object {number} of {job.name} has no label yet.")
        key = (job.name, number, str(found.item.mask_ref))
        with self._lock:
            if key in self._looked:
                self._looked.move_to_end(key)
                return self._looked[key]
        looked = self._look(job, found, results.labels)
        with self._lock:
            self._looked[key] = looked
            while len(self._looked) > _KEPT:
                self._looked.popitem(last=False)
        return looked

    def _read(self, job: JobView) -> Results:
        labels = self._labels(job)
        manifests = self._manifests(job)
        labeled: dict[int, Result] = {}
        failed: dict[str, Failure] = {}
        problems: list[str] = []
        for location in manifests:
            manifest = self._open(job, location, labels)
            # Before the first label the service writes lines that nobody has labeled: that is no fault.
            if str(job.described["LabelAttributeName"]) not in manifest.scan.attributes:
                continue
            for item in manifest.items():
                if item.state == "labeled" and item.mask_ref and item.mask_ref.startswith(job.output):
                    number = _number(item)
                    labeled[number] = Result(number=number, item=item)
                elif item.state == "failed":
                    failure = Failure(line=item.line, source=item.source_ref, reason=item.failure or "")
                    failed[item.source_ref] = failure
                elif item.state == "invalid":
                    problems.append(str(item.error))
        return Results(
            manifest=manifests[-1] if manifests else "",
            labels=labels,
            labeled=[labeled[number] for number in sorted(labeled)],
            failed=sorted(failed.values(), key=lambda one: one.line),
            problems=problems[:20],
        )

    def _labels(self, job: JobView) -> LabelList:
        uri = job.described.get("LabelCategoryConfigS3Uri")
        if not uri:
            return LabelList.from_names([])
        try:
            return LabelList.read(uri, storage=self._account.storage)
        except LabelsError as error:
            raise AccountError(str(error)) from error

    def _manifests(self, job: JobView) -> list[str]:
        """What to read, later ones winning: the output, or else the last dataset and the batch since."""
        output = job.described.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri")
        if output:
            return [str(output)]
        names = [
            f"{folder}/{name}"
            for folder in ("manifests", "annotations/intermediate")
            for name in self._account.names(f"{job.output}/{folder}/")
        ]
        if _OUTPUT in names:
            return [f"{job.output}/{_OUTPUT}"]
        dataset, batch = _latest(names, _DATASET), _latest(names, _BATCH)
        found = [dataset] if dataset else []
        if batch and (not dataset or batch[0] >= dataset[0]):
            found.append(batch)
        return [f"{job.output}/{name}" for _, name in found]

    def _open(self, job: JobView, location: str, labels: LabelList) -> Manifest:
        attribute = str(job.described["LabelAttributeName"])
        try:
            return read_manifest(
                location, attribute=attribute, labels=labels, unknown="ignore", storage=self._account.storage
            )
        except LabelsError as error:
            raise AccountError(str(error)) from error

    def _look(self, job: JobView, result: Result, labels: LabelList) -> Looked:
        manifest = self._open(job, result.item.location, labels)
        folder = f"{job.output}/annotations/worker-response"
        problems: list[str] = []
        answers: list[tuple[str, float | None, Mask]] = []
        try:
            picture = np.asarray(result.item.image())
            vote = result.item.mask()
        except LabelsError as error:
            raise AccountError(str(error)) from error
        try:
            for answer in WorkerResponses(manifest, location=folder).answers(result.item):
                if answer.mask.shape == vote.shape:
                    answers.append((answer.worker, answer.seconds, answer.mask))
                else:
                    problems.append(f"The answer of {answer.worker} has another size than the label.")
        except LabelsError as error:
            problems.append(str(error))
        return Looked(
            result=result, labels=labels, picture=picture, vote=vote, workers=answers, problems=problems
        )


def _latest(names: Sequence[str], pattern: re.Pattern[str]) -> tuple[int, str] | None:
    found = [(int(match[1]), name) for name in names if (match := pattern.fullmatch(name))]
    return max(found, default=None)


def _number(item: Item) -> int:
    found = _NUMBER.search(item.mask_ref or "")
    return int(found[1]) if found else item.index
