"""Create and update of one labeling job: what is decided, apart from who calls and who is answered.

The six statuses are handled by name: ``Initializing`` is waited for, ``InProgress`` and ``Completed`` are
success, ``Failed``, ``Stopping`` and ``Stopped`` fail a create. `removal` ends jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import log
from .contract import (
    ATTR_JOB_ARN,
    ATTR_OUTPUT_MANIFEST_URI,
    ATTR_OUTPUT_URI,
    ESTIMATES,
    OWN_TAGS,
    JobProperties,
    parse,
)
from .errors import DeployError, NotYetError, code_of, said
from .jobs import LIVE, Jobs, tag_list
from .owned import Owned, fingerprint, job_name
from .patience import Patience, pauses
from .removal import NOT_CREATED, Removal
from .stack import Stack

# A role or policy made seconds ago in the same deploy isn't known everywhere yet.
_PROPAGATION = timedelta(seconds=30)
_USEFUL = (*LIVE, "Completed")
_ANY_STATUS = (*_USEFUL, "Stopping", "Failed", "Stopped")

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
        event: as CloudFormation delivered it.
        jobs: the service.
        stack: what CloudFormation says of the stack.
        manifest_uri: `(images, job_name=…, attribute=…, describe=…)` → manifest URI or None; publishes, lists
            and chooses images.
        preflight: ``(request, properties) → tags``; reads all that the job would, and raises DeployError
            where the job should not be created. Its tags go on the job.
    """

    def __init__(
        self,
        event: Mapping[str, Any],
        *,
        jobs: Jobs,
        stack: Stack,
        patience: Patience,
        manifest_uri: Callable[..., str | None],
        preflight: Callable[[Mapping[str, Any], JobProperties], Mapping[str, str]] = lambda *_: {},
    ) -> None:
        self._event = event
        self._jobs = jobs
        self._stack = stack
        self._patience = patience
        self._manifest_uri = manifest_uri
        self._preflight = preflight
        self._owned = Owned(jobs, event)
        self._removal = Removal(jobs, self._owned, stack, patience)

    def create(self) -> Outcome:
        """Create the event's job, or go on with the one that an interrupted run of it created.

        Raises:
            DeployError: the job can't be created, failed or was stopped; what was created has been stopped.
            NotYetError: the job is still ``Initializing`` and this invocation is out of time.
        """
        properties = parse(self._event["ResourceProperties"])
        name = planned_name(self._event, properties)
        self._while_iam_spreads(properties, lambda: self._ensure(name, properties))
        return self._proven(name, properties)

    def update(self) -> Outcome:
        """Change the tags in place; for anything else, put a new job beside the old one.

        CloudFormation deletes the old one when it cleans up. When it rolls back it asks for the old
        properties again: the old job is the answer, and a rollback never makes a job.
        """
        properties = parse(self._event["ResourceProperties"])
        name = self._event["PhysicalResourceId"]
        stack = self._stack.status()
        job = self._jobs.describe(name)
        if job is not None and self._is_kept(job):
            # A late event must change nothing.
            if stack.makes_resources or stack.rolls_back:
                self._sync_tags(job["LabelingJobArn"], properties.tags)
            if stack.rolls_back:
                self._removal.sweep(keep=name)
            return _outcome(job)
        # A stack that doesn't say where it goes may go either way.
        forward = stack.makes_resources and stack != ""
        found = next(self._owned.others(name, _USEFUL if forward else _ANY_STATUS, as_wanted=True), None)
        if found is None or found["LabelingJobName"] == planned_name(self._event, properties):
            return self.create()
        if not stack and found["LabelingJobStatus"] not in _USEFUL:
            raise DeployError("CloudFormation doesn't say whether the stack rolls back (DescribeStacks)")
        former = found["LabelingJobName"]
        log.action("AdoptLabelingJob", job=former)
        if not forward and (job := self._jobs.describe(former)) is not None:
            return _outcome(job)
        return self._proven(former, properties)

    def delete(self) -> Outcome:
        """Stop the job, if it is this resource's own and still lives."""
        physical_id = str(self._event["PhysicalResourceId"])
        try:
            self._removal.delete(self._event)
        except NotYetError:
            raise
        except Exception as error:
            raise DeployError(
                f"{said(error)}. If the job still runs: aws sagemaker stop-labeling-job --labeling-job-name"
                f" {physical_id.removeprefix(NOT_CREATED)}"
            ) from error
        return Outcome(physical_id=physical_id)

    def _is_kept(self, job: Mapping[str, Any]) -> bool:
        """Nothing but tags and policies changes, or a rollback asks for what this job was made of."""
        new, old = (fingerprint(self._event[key]) for key in ("ResourceProperties", "OldResourceProperties"))
        claim = self._owned.claim(job)
        return claim is not None and (claim.as_wanted or new == old)

    def _ensure(self, name: str, properties: JobProperties) -> None:
        """The job of this very request exists, made now or by an earlier try whose answer was lost."""
        job = self._jobs.describe(name)
        if job is None:
            request = self._request(name, properties)
            request["Tags"] += tag_list(self._preflight(request, properties))
            self._check_awaited()
            try:
                return self._jobs.create(request)
            except Exception as error:
                if code_of(error) != "ResourceInUse":
                    raise
                job = self._jobs.describe(name)
        claim = self._owned.claim(job) if job else None
        if claim is None or not claim.of_request:
            raise DeployError(
                f"the job name {name!r} is taken by a job that isn't this stack's; nothing was created."
                " Set another job_name_prefix"
            )
        log.action("AdoptLabelingJob", job=name)

    def _request(self, name: str, properties: JobProperties) -> dict[str, Any]:
        request: dict[str, Any] = {"LabelingJobName": name, **properties.request}
        manifest = self._manifest_uri(
            properties.images,
            job_name=name,
            attribute=str(request.get("LabelAttributeName")),
            describe=self._jobs.describe,
        )
        if manifest is not None:
            source = {"S3DataSource": {"ManifestS3Uri": manifest}}
            request["InputConfig"] = {**request.get("InputConfig", {}), "DataSource": source}
        request["Tags"] = tag_list({**properties.tags, **self._owned.tags})
        return request

    def _while_iam_spreads(self, properties: JobProperties, step: Callable[[], None]) -> None:
        until = self._patience.now() + _PROPAGATION
        for seconds in pauses():
            try:
                return step()
            except (DeployError, NotYetError):
                raise
            except Exception as error:
                if not _may_be_propagation(error, properties) or self._patience.now() > until:
                    raise DeployError(f"{said(error)}. {_CLOSED_HINT}") from error
                log.action("WaitForIam", error=said(error))
            self._patience.pause(seconds, "IAM has not spread the new role yet")

    def _check_awaited(self) -> None:
        if not self._stack.status().makes_resources:
            raise DeployError("CloudFormation no longer waits for this job: its stack rolls back or is done")

    def _check_handed_over(self, name: str) -> None:
        """Somebody takes the job: the stack still waits, or has it from another run of this request."""
        if not self._stack.status().makes_resources and self._stack.physical_id() not in (name, None):
            raise DeployError(f"CloudFormation gave up while the job {name!r} was made")

    def _proven(self, name: str, properties: JobProperties) -> Outcome:
        try:
            # At once, because a stack that is torn down soon has no permission left to stop the job with;
            # and again, because nothing says that the stack waited while the job was watched.
            self._check_handed_over(name)
            outcome = self._watch(name, timedelta(seconds=properties.probation_seconds))
            self._check_handed_over(name)
            return outcome
        except NotYetError:
            raise
        except Exception:
            self._removal.abandon(name)
            raise

    def _watch(self, name: str, probation: timedelta) -> Outcome:
        for seconds in pauses():
            job = self._jobs.describe(name)
            if job is None:
                raise DeployError(f"the job {name!r} was created and is gone")
            status, where = job["LabelingJobStatus"], f" ({_console(job['LabelingJobArn'])})"
            if status in ("InProgress", "Completed"):
                log.action("Started", job=name, status=status)
                return _outcome(job)
            if status == "Failed":
                reason = job.get("FailureReason", "no reason given")
                raise DeployError(f"the job {name!r} failed: {reason}{where}")
            if status in ("Stopping", "Stopped"):
                raise DeployError(f"the job {name!r} was stopped by somebody while it was deployed{where}")
            if self._patience.now() - job["CreationTime"] >= probation:
                log.action("ProbationOver", job=name, status=status)
                return _outcome(job)
            self._patience.pause(seconds, f"the job {name!r} is still {status}")
        raise AssertionError("pauses never end")

    def _sync_tags(self, arn: str, wanted: Mapping[str, str]) -> None:
        ours = {*OWN_TAGS, *ESTIMATES.values()}
        there = {key: value for key, value in self._jobs.tags(arn).items() if key not in ours}
        new = {key: value for key, value in wanted.items() if there.get(key) != value}
        gone = sorted(set(there) - set(wanted))
        self._jobs.tag(arn, new)
        self._jobs.untag(arn, gone)
        log.action("SyncTags", job=arn, set=sorted(new), removed=gone)


def planned_name(event: Mapping[str, Any], properties: JobProperties) -> str:
    """The name of the job that this event creates."""
    return job_name(
        properties.job_name_prefix,
        stack_id=event["StackId"],
        logical_id=event["LogicalResourceId"],
        request_id=event["RequestId"],
    )


def _outcome(job: Mapping[str, Any]) -> Outcome:
    name, tags = job["LabelingJobName"], {tag["Key"]: tag["Value"] for tag in job.get("Tags", ())}
    output = f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/{name}"
    return Outcome(
        physical_id=name,
        data={
            ATTR_JOB_ARN: job["LabelingJobArn"],
            ATTR_OUTPUT_URI: f"{output}/",
            ATTR_OUTPUT_MANIFEST_URI: f"{output}/manifests/output/output.manifest",
            # As estimated when the job was made; a job made without preflight was never counted.
            **{name: tags.get(tag, "unknown") for name, tag in ESTIMATES.items()},
        },
    )


def _may_be_propagation(error: Exception, properties: JobProperties) -> bool:
    """Access denied, or a complaint about the very role: both pass once IAM has spread what is new."""
    if code_of(error) in ("AccessDenied", "AccessDeniedException"):
        return True
    return code_of(error) == "ValidationException" and str(properties.request.get("RoleArn")) in str(error)


def _console(job_arn: str) -> str:
    region, name = job_arn.split(":")[3], job_arn.rpartition("/")[2]
    return f"https://{region}.console.aws.amazon.com/sagemaker/groundtruth?region={region}#/labeling-jobs/details/{name}"
