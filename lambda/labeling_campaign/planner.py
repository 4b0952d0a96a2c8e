"""Plans a run: what has no label yet is cut into jobs; what is labeled and didn't change is left alone."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, Final

from labeling_job import cost, log
from labeling_job.campaign import JOBS_PER_RUN
from labeling_job.contract import split_s3_uri
from labeling_job.errors import DeployError, NotYetError

from .campaign import Campaign
from .cutting import cut, sizes
from .gatherer import dataset_lines, gather
from .lines import job_of
from .listing import images_of, in_order
from .merging import Image, missing
from .sorting import Sorted
from .state import Dataset, Plan, PlannedJob

_SPOOL_BYTES: Final = 32 * 1024 * 1024


def plan(campaign: Campaign, run: str, execution: str) -> dict[str, Any]:
    """Plan the run; its jobs by number, none where nothing is to do or another run is at it.

    Raises:
        DeployError: what is to be done is above the ceiling, or too much to be listed in one invocation.
    """
    if not _lock(campaign, execution):
        return _nothing("another run is going on")
    made = campaign.state.plan(run)
    if made is None:
        # What an earlier run left, whatever ended it: its jobs end, and its labels count.
        gather(campaign, campaign.state.pending())
        made = _made(campaign, run, execution)
    if not made.jobs:
        return _nothing("no image is without a label")
    return {
        "jobs": list(range(len(made.jobs))),
        "count": len(made.jobs),
        "images": sum(job.images for job in made.jobs),
        "why": "",
    }


def _nothing(why: str) -> dict[str, Any]:
    log.action("NothingToDo", why=why)
    return {"jobs": [], "count": 0, "images": 0, "why": why}


def _lock(campaign: Campaign, execution: str) -> bool:
    """Whether this execution has the campaign: one that has ended leaves it to the next."""
    holder, mark = campaign.state.lock()
    if holder == execution:
        return True
    if holder and campaign.executions.is_running(holder):
        return False
    return campaign.state.take_lock(execution, mark)


def _made(campaign: Campaign, run: str, execution: str) -> Plan:
    dataset = campaign.state.dataset()
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as lines:
        try:
            found = _spool(campaign, dataset, lines)
        except NotYetError as error:
            raise DeployError(
                "the images can't be listed and compared within one invocation; split them over several"
                " campaigns, each with a prefix of its own"
            ) from error
        count = _affordable(campaign, dataset, found)
        parts = sizes(count, campaign.properties.images_per_job)
        left = found - sum(parts[:JOBS_PER_RUN])
        log.action("Plan", run=run, without_label=found, jobs=len(parts[:JOBS_PER_RUN]), left=left)
        jobs = tuple(_jobs(campaign, run, lines, parts[:JOBS_PER_RUN]))
    made = Plan(run=run, execution=execution, jobs=jobs)
    if not jobs or campaign.state.keep_plan(made):
        return made
    # Another invocation of this very step was first: all go by its plan.
    first = campaign.state.plan(run)
    if first is None:
        raise DeployError(f"the plan of the run {run!r} is gone")
    return first


def _spool(campaign: Campaign, dataset: Dataset, into: IO[bytes] | Any) -> int:
    """Write the line of each image without a label, in the order in which they are asked; how many."""
    changed = _Changed(campaign)
    found = missing(images_of(campaign), dataset_lines(campaign, dataset), changed)
    count = 0
    for count, line in enumerate(_in_order(campaign, found), 1):  # noqa: B007
        into.write(line + b"\n")
    return count


def _in_order(campaign: Campaign, images: Iterable[Image]) -> Iterator[bytes]:
    properties = campaign.properties
    if properties.shuffled:
        shuffled = Sorted()
        seed = f"{properties.seed}\n".encode()
        for image in images:
            shuffled.add(hashlib.blake2b(seed + image.uri, digest_size=16).digest(), image.line)
        return (line for _, line in shuffled)
    return in_order(campaign, ((image.uri, image.line) for image in images))


class _Changed:
    """Whether an image was written after the job that labeled it began."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._created: dict[str, float] = {}

    def __call__(self, image: Image, line: bytes) -> bool:
        if not image.modified:
            return False
        job = job_of(line, self._campaign.properties.attribute)
        if job not in self._created:
            found = self._campaign.jobs.describe(job) if job else None
            # A label whose job nobody knows has been paid for all the same.
            created = found["CreationTime"] if found else datetime.now(UTC)
            self._created[job] = created.timestamp()
        return image.modified > self._created[job]


def _affordable(campaign: Campaign, dataset: Dataset, found: int) -> int:
    """How many of the images the ceiling over all of the campaign allows.

    Raises:
        DeployError: not all of them, and the campaign is not to go on as far as it may.
    """
    properties = campaign.properties
    if properties.cost is None or not found:
        return found
    terms = cost.terms(properties.cost)

    def above(count: int) -> list[str]:
        whole = cost.estimate(dataset.bought + count, workers=campaign.workers, terms=terms)
        return cost.exceeded(whole, terms)

    wrong = above(found)
    if not wrong:
        return found
    if not properties.stop_at_ceiling:
        whole = cost.estimate(dataset.bought + found, workers=campaign.workers, terms=terms)
        raise DeployError(
            f"the campaign would be above its ceiling: {'; '.join(wrong)} ({whole.text}, of which"
            f" {dataset.bought:,} objects are labeled already); raise it, label fewer images, or set"
            " stop_at_ceiling"
        )
    allowed = cost.most(found, above)
    log.action("StopAtCeiling", allowed=allowed, of=found)
    return allowed


def _jobs(campaign: Campaign, run: str, lines: IO[bytes] | Any, parts: list[int]) -> Iterator[PlannedJob]:
    """Write each job's manifest; no other attempt of the same step writes the same objects."""
    bucket, prefix = split_s3_uri(campaign.properties.job.images.staging_s3_uri)
    attempt = uuid.uuid4().hex[:8]
    lines.seek(0)
    for number, part in enumerate(cut(lines, parts)):
        key = f"{prefix}manifests/{run}/{attempt}/{number:05}.manifest"
        campaign.storage.put(bucket, key, b"".join(part), content_type="application/jsonlines")
        yield PlannedJob(
            name=campaign.name_of(run, number), manifest=f"s3://{bucket}/{key}", images=len(part)
        )
