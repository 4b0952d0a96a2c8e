"""Gathers what jobs have labeled into one manifest: each image once, its newest label, in their order."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final

from botocore.exceptions import ClientError

from labeling_job import log
from labeling_job.campaign import DATASET, UNLABELED
from labeling_job.chained_images import output_lines
from labeling_job.errors import MISSING_CODES, DeployError, code_of
from labeling_job.predecessors import Predecessor

from .campaign import Campaign
from .ends import end_jobs
from .lines import image_of, metadata_of
from .listing import in_order
from .merging import Answer, merged
from .sorting import Sorted
from .state import Dataset, Plan, PlannedJob

_SPOOL_BYTES: Final = 32 * 1024 * 1024
_TRIES: Final = 10
_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(kw_only=True)
class Gathered:
    """What a campaign has."""

    labels: int = 0
    new_labels: int = 0
    unlabeled: int = 0
    bought: int = 0

    def told(self, campaign: Campaign) -> dict[str, Any]:
        """For the state machine and its events."""
        return {
            "labels": self.labels,
            "newLabels": self.new_labels,
            "unlabeled": self.unlabeled,
            "bought": self.bought,
            "datasetManifest": campaign.state.uri(DATASET),
            "unlabeledImages": campaign.state.uri(UNLABELED),
        }


def gather(campaign: Campaign, plans: Sequence[Plan]) -> Gathered:
    """End the jobs of runs that nobody waits for, and add what they labeled to the manifest.

    Whoever dies anywhere in it, or does it twice, or at the same time as another one, comes to the same end:
    the manifest is written on the condition that it is still the one that was read.

    Raises:
        DeployError: an output can't be read, or others write the manifest all the time.
        NotYetError: this invocation is out of time.
    """
    ended = [(plan, end_jobs(campaign, plan)) for plan in plans]
    if not ended:
        there = campaign.state.dataset()
        return Gathered(labels=there.labels, bought=there.bought)
    for _ in range(_TRIES):
        gathered = _write(campaign, ended)
        if gathered is not None:
            break
        log.action("GatherAgain", why="the manifest was written meanwhile")
    else:
        raise DeployError(f"{campaign.state.uri(DATASET)} is written by others all the time")
    for plan, jobs in ended:
        statuses = {name: job["LabelingJobStatus"] for name, job in jobs.items()}
        campaign.state.close(plan, {"statuses": statuses, **gathered.told(campaign)})
    log.action("Gathered", **gathered.told(campaign), runs=[plan.run for plan in plans])
    return gathered


def _write(
    campaign: Campaign, ended: Sequence[tuple[Plan, Mapping[str, Mapping[str, Any]]]]
) -> Gathered | None:
    """Write both files; None where the manifest was changed meanwhile."""
    before = campaign.state.dataset()
    runs = hashlib.sha256("\n".join(sorted(plan.run for plan, _ in ended)).encode()).hexdigest()
    answers = _answers(campaign, ended)
    gathered = Gathered()
    with (
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as labels,
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as unlabeled,
    ):
        found = merged(dataset_lines(campaign, before), _decoded(answers))
        labeled = ((each.uri, each.line) for each in _without_failed(found, unlabeled, gathered))
        for line in in_order(campaign, labeled):
            labels.write(line + b"\n")
            gathered.labels += 1
        gathered.new_labels = sum(1 for _, value in answers if value.startswith(_LABEL))
        # Who died after the manifest was written counts nothing twice.
        again = before.runs == runs and before.meaning == campaign.properties.meaning
        gathered.bought = before.bought + (0 if again else gathered.new_labels)
        dataset = Dataset(
            labels=gathered.labels,
            bought=gathered.bought,
            meaning=campaign.properties.meaning,
            runs=runs,
            by_uri=not campaign.properties.source_manifest,
        )
        if not campaign.state.put_dataset(labels, dataset, before.etag):
            return None
        campaign.state.put_unlabeled(unlabeled)
    return gathered


def dataset_lines(campaign: Campaign, dataset: Dataset) -> Iterator[tuple[bytes, bytes]]:
    """URI and line of each label so far, sorted by URI; labels of another meaning are none."""
    if not dataset.etag or dataset.meaning != campaign.properties.meaning:
        return iter(())
    lines = output_lines(campaign.storage, campaign.state.uri(DATASET))
    records = ((image_of(line), line) for line in lines)
    if dataset.by_uri:
        return records
    ordered = Sorted()
    for uri, line in records:
        ordered.add(uri, line)
    return iter(ordered)


#: First byte of an answer's value.
_LABEL, _REASON = b"L", b"R"


def _answers(campaign: Campaign, ended: Iterable[tuple[Plan, Mapping[str, Mapping[str, Any]]]]) -> Sorted:
    """What all jobs made of all images that they were asked for, the oldest job first."""
    answers = Sorted()
    jobs = [(jobs.get(job.name, {}), job) for plan, jobs in ended for job in plan.jobs]
    for described, job in sorted(jobs, key=lambda each: each[0].get("CreationTime", _EVER)):
        reason = _reason(campaign, described, job)
        asked = dict.fromkeys(image_of(line) for line in output_lines(campaign.storage, job.manifest))
        for line in _output(campaign, described):
            uri = image_of(line)
            if uri not in asked:
                continue
            metadata = metadata_of(line, campaign.properties.attribute)
            if metadata and "failure-reason" not in metadata:
                answers.add(uri, _LABEL + line)
                del asked[uri]
            elif "failure-reason" in metadata:
                answers.add(uri, _REASON + _why(job, str(metadata["failure-reason"])))
                del asked[uri]
        for uri in asked:
            answers.add(uri, _REASON + _why(job, reason))
    return answers


def _reason(campaign: Campaign, described: Mapping[str, Any], job: PlannedJob) -> str:
    """Why an image of the job has no label, where its line doesn't say."""
    if not described:
        return campaign.state.refusal(job.name) or "the job was not made: its run ended before"
    status = described["LabelingJobStatus"]
    if status == "Failed":
        return f"the job failed: {described.get('FailureReason', 'no reason given')}"
    return {"Stopped": "the job was stopped before"}.get(status, "the job ended without it")


def _why(job: PlannedJob, reason: str) -> bytes:
    return json.dumps({"job": job.name, "reason": reason}).encode()


def _output(campaign: Campaign, described: Mapping[str, Any]) -> Iterator[bytes]:
    if not described:
        return
    try:
        yield from output_lines(campaign.storage, Predecessor.of(described).manifest_uri)
    except ClientError as error:
        # A job that ended before it labeled anything has written no output.
        if code_of(error) not in MISSING_CODES:
            raise


def _decoded(answers: Iterable[tuple[bytes, bytes]]) -> Iterator[Answer]:
    for uri, value in answers:
        is_label = value.startswith(_LABEL)
        yield Answer(uri, value[1:] if is_label else b"", b"" if is_label else value[1:])


def _without_failed(
    found: Iterable[Answer], unlabeled: IO[bytes] | Any, gathered: Gathered
) -> Iterator[Answer]:
    """Those with a label; the others go into their own file."""
    for answer in found:
        if answer.line:
            yield answer
            continue
        gathered.unlabeled += 1
        entry = {"source-ref": answer.uri.decode("utf-8", "surrogatepass"), **json.loads(answer.reason)}
        unlabeled.write(json.dumps(entry).encode() + b"\n")
