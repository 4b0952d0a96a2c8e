"""Create, update and delete of one labeling job: what is decided, apart from who calls and who is answered.

The six statuses are handled by name: ``Initializing`` is waited for, ``InProgress`` and ``Completed`` are
success, ``Failed``, ``Stopping`` and ``Stopped`` fail a create; a delete stops the first two and waits for
``Stopping`` to end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from . import log, naming
from .contract import (
    ATTR_JOB_ARN,
    ATTR_OUTPUT_MANIFEST_URI,
    ATTR_OUTPUT_URI,
    OWN_TAGS,
    TAG_FINGERPRINT,
    TAG_LOGICAL_ID,
    TAG_REQUEST,
    TAG_STACK,
    JobProperties,
    parse,
)
from .errors import DeployError, NotYetError, code_of, said
from .jobs import ENDED, LIVE, Jobs, tag_list

# A role or policy made seconds ago in the same deploy isn't known everywhere yet.
_PROPAGATION = timedelta(seconds=30)
# Well below the custom resource's ServiceTimeout of 50 minutes.
_PATIENCE = timedelta(minutes=40)
# What an invocation needs to stop a job and to answer.
_MARGIN_MS = 60_000
_POLL_FIRST, _POLL_MOST = 0.25, 10.0

_CLOSED_HINT = (
    "If this account never used Ground Truth: it closed to new customers on 2026-07-30, and the embedded"
    " AWS (`make local`) runs without an account."
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What CloudFormation is told of a job that is there."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


class Lifecycle:
    """One custom-resource event against the service.

    Args:
        jobs: the service.
        manifest_uri: ``(images, job_name=…) → manifest URI or None``; publishes and lists images.
        preflight: ``(request, properties) → tags``; reads all that the job would, and raises DeployError
            where the job should not be created. Its tags go on the job.
        remaining_ms: milliseconds that this invocation may still run.
    """

    def __init__(
        self,
        jobs: Jobs,
        *,
        manifest_uri: Callable[..., str | None],
        remaining_ms: Callable[[], int],
        sleep: Callable[[float], None],
        preflight: Callable[[Mapping[str, Any], JobProperties], Mapping[str, str]] = lambda *_: {},
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs = jobs
        self._manifest_uri = manifest_uri
        self._preflight = preflight
        self._remaining_ms = remaining_ms
        self._sleep = sleep
        self._now = now

    def create(self, event: Mapping[str, Any]) -> Outcome:
        """Create the event's job, or go on with the one that an interrupted run of it created.

        Raises:
            DeployError: the job can't be created, failed or was stopped; what was created has been stopped.
            NotYetError: the job is still ``Initializing`` and this invocation is out of time.
        """
        properties = parse(event["ResourceProperties"])
        name = planned_name(event, properties)
        self._while_iam_spreads(properties, lambda: self._ensure(event, name, properties))
        try:
            return self._started(name)
        except NotYetError:
            raise
        except Exception:
            self._stop_quietly(name)
            raise

    def update(self, event: Mapping[str, Any]) -> Outcome:
        """Change the tags in place; for anything else, put a new job beside the old one.

        CloudFormation deletes the old one when it cleans up. On a rollback it asks for the old
        properties again: the old job, if it still runs, is the answer.
        """
        new, old = (naming.fingerprint(event[key]) for key in ("ResourceProperties", "OldResourceProperties"))
        if new == old and (job := self._jobs.describe(event["PhysicalResourceId"])) is not None:
            self._sync_tags(job["LabelingJobArn"], parse(event["ResourceProperties"]).tags)
            return _outcome(job)
        former = self._live_job_like(event, new)
        return self._started(former) if former else self.create(event)

    def delete(self, event: Mapping[str, Any]) -> None:
        """Stop the job, if it is this resource's own and still lives, and wait until it has stopped.

        Raises:
            NotYetError: the job is still stopping and this invocation is out of time.
        """
        name = event["PhysicalResourceId"]
        job = self._jobs.describe(name)
        if job is None:
            log.action("DeleteNothing", job=name, why="there is no such job")
        elif not self._is_own(job, event, TAG_STACK, TAG_LOGICAL_ID):
            log.action("DeleteNothing", job=name, why="the job is not this stack's own")
        else:
            self._stop_and_wait(name)

    def _ensure(self, event: Mapping[str, Any], name: str, properties: JobProperties) -> None:
        """The job of this very request exists, made now or by an earlier try whose answer was lost."""
        job = self._jobs.describe(name)
        if job is None:
            request = self._request(event, name, properties)
            request["Tags"] += tag_list(self._preflight(request, properties))
            try:
                return self._jobs.create(request)
            except Exception as error:
                if code_of(error) != "ResourceInUse":
                    raise
                job = self._jobs.describe(name)
        if job is None or not self._is_own(job, event, TAG_STACK, TAG_LOGICAL_ID, TAG_REQUEST):
            raise DeployError(
                f"the job name {name!r} is taken by a job that isn't this stack's; nothing was created."
                " Set another job_name_prefix"
            )
        log.action("AdoptLabelingJob", job=name)

    def _request(self, event: Mapping[str, Any], name: str, properties: JobProperties) -> dict[str, Any]:
        request: dict[str, Any] = {"LabelingJobName": name, **properties.request}
        manifest = self._manifest_uri(properties.images, job_name=name)
        if manifest is not None:
            source = {"S3DataSource": {"ManifestS3Uri": manifest}}
            request["InputConfig"] = {**request.get("InputConfig", {}), "DataSource": source}
        request["Tags"] = tag_list({**properties.tags, **_identity(event)})
        return request

    def _while_iam_spreads(self, properties: JobProperties, step: Callable[[], None]) -> None:
        deadline = self._now() + _PROPAGATION
        for pause in _pauses():
            try:
                return step()
            except DeployError:
                raise
            except Exception as error:
                if not _may_be_propagation(error, properties) or self._now() > deadline:
                    raise DeployError(f"{said(error)}. {_CLOSED_HINT}") from error
                log.action("WaitForIam", error=said(error))
            self._pause(pause, "IAM has not spread the new role yet")

    def _started(self, name: str) -> Outcome:
        for pause in _pauses():
            job = self._jobs.describe(name)
            if job is None:
                raise DeployError(f"the job {name!r} was created and is gone")
            status = job["LabelingJobStatus"]
            if status in ("InProgress", "Completed"):
                log.action("Started", job=name, status=status)
                return _outcome(job)
            if status == "Failed":
                raise DeployError(f"the job {name!r} failed: {job.get('FailureReason', 'no reason given')}")
            if status in ("Stopping", "Stopped"):
                raise DeployError(f"the job {name!r} was stopped by somebody while it was being deployed")
            if self._now() - job["CreationTime"] > _PATIENCE:
                raise DeployError(f"the job {name!r} is still {status} after {_PATIENCE}")
            self._pause(pause, f"the job {name!r} is still {status}")
        raise AssertionError("pauses never end")

    def _stop_and_wait(self, name: str) -> None:
        for pause in _pauses():
            job = self._jobs.describe(name)
            status = job["LabelingJobStatus"] if job else "gone"
            if status == "gone" or status in ENDED:
                log.action("Ended", job=name, status=status)
                return
            if status in LIVE:
                self._jobs.stop(name)
            self._pause(pause, f"the job {name!r} is still {status}")

    def _stop_quietly(self, name: str) -> None:
        """After a failed create: the failure is what has to be told, not what its clean-up met."""
        try:
            job = self._jobs.describe(name)
            if job and job["LabelingJobStatus"] in LIVE:
                self._jobs.stop(name)
        except Exception as error:
            log.action("StopLabelingJobFailed", job=name, error=said(error))

    def _live_job_like(self, event: Mapping[str, Any], fingerprint: str) -> str | None:
        marker = naming.resource_marker(event["StackId"], event["LogicalResourceId"])
        for job in self._jobs.live(marker):
            tags = self._jobs.tags(job["LabelingJobArn"])
            if tags.get(TAG_FINGERPRINT) == fingerprint and tags.get(TAG_STACK) == event["StackId"]:
                log.action("AdoptLabelingJob", job=job["LabelingJobName"])
                return str(job["LabelingJobName"])
        return None

    def _sync_tags(self, arn: str, wanted: Mapping[str, str]) -> None:
        there = {key: value for key, value in self._jobs.tags(arn).items() if key not in OWN_TAGS}
        new = {key: value for key, value in wanted.items() if there.get(key) != value}
        gone = sorted(set(there) - set(wanted))
        self._jobs.tag(arn, new)
        self._jobs.untag(arn, gone)
        log.action("SyncTags", job=arn, set=sorted(new), removed=gone)

    def _is_own(self, job: Mapping[str, Any], event: Mapping[str, Any], *keys: str) -> bool:
        there, wanted = self._jobs.tags(job["LabelingJobArn"]), _identity(event)
        return all(there.get(key) == wanted[key] for key in keys)

    def _pause(self, seconds: float, why: str) -> None:
        if self._remaining_ms() < _MARGIN_MS:
            raise NotYetError(why)
        self._sleep(seconds)


def planned_name(event: Mapping[str, Any], properties: JobProperties) -> str:
    """The name of the job that this event creates."""
    return naming.job_name(
        properties.job_name_prefix,
        stack_id=event["StackId"],
        logical_id=event["LogicalResourceId"],
        request_id=event["RequestId"],
    )


def _identity(event: Mapping[str, Any]) -> dict[str, str]:
    return {
        TAG_STACK: event["StackId"],
        TAG_LOGICAL_ID: event["LogicalResourceId"],
        TAG_REQUEST: event["RequestId"],
        TAG_FINGERPRINT: naming.fingerprint(event["ResourceProperties"]),
    }


def _outcome(job: Mapping[str, Any]) -> Outcome:
    name = job["LabelingJobName"]
    output = f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/{name}"
    return Outcome(
        physical_id=name,
        data={
            ATTR_JOB_ARN: job["LabelingJobArn"],
            ATTR_OUTPUT_URI: f"{output}/",
            ATTR_OUTPUT_MANIFEST_URI: f"{output}/manifests/output/output.manifest",
        },
    )


def _may_be_propagation(error: Exception, properties: JobProperties) -> bool:
    """Access denied, or a complaint about the very role: both pass once IAM has spread what is new."""
    if code_of(error) in ("AccessDenied", "AccessDeniedException"):
        return True
    return code_of(error) == "ValidationException" and str(properties.request.get("RoleArn")) in str(error)


def _pauses() -> Iterator[float]:
    pause = _POLL_FIRST
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(pause * 1.5, _POLL_MOST)
