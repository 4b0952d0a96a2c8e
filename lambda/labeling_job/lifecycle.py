"""Create and update of one labeling job: what is decided, apart from who calls and who is answered.

The six statuses are handled by name: ``Initializing`` is waited for, ``InProgress`` and ``Completed`` are
success, ``Failed``, ``Stopping`` and ``Stopped`` fail a create. `removal` ends jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError

from . import log
from .contract import (
    ATTR_JOB_ARN,
    ATTR_OUTPUT_MANIFEST_URI,
    ATTR_OUTPUT_URI,
    ESTIMATES,
    TAG_SUCCESSOR,
    Images,
    JobProperties,
    parse,
    parsed_or_none,
)
from .errors import DENIED_CODES, DeployError, NotYetError, code_of, operation_of, said
from .event import Event
from .images import Staging
from .jobs import ENDED, LIVE, Jobs, tag_list
from .owned import Owned, fingerprint, job_name
from .patience import Patience, pauses
from .predecessors import Predecessor
from .removal import NOT_CREATED, Removal
from .stack import Stack
from .succession import briefly_checked, keeps_labels
from .transport import AWS_ERRORS

# A role or policy made seconds ago in the same deploy isn't known everywhere yet.
_PROPAGATION = timedelta(seconds=30)
# So many objects that fail before any is labeled are no accident.
_FIRST_OBJECTS = 10
_USEFUL = (*LIVE, "Completed")
_ANY_STATUS = (*_USEFUL, "Stopping", "Failed", "Stopped")

_CLOSED_HINT = (
    ". If this account never used Ground Truth: it closed to new customers on 2026-07-30, and the embedded"
    " AWS (`make local`) runs without an account."
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What CloudFormation is told of a job that is there."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


class StagingArea(Protocol):
    """Where a job's input is put together."""

    def staged(
        self,
        images: Images,
        *,
        job_name: str,
        attribute: str,
        describe: Callable[[str], Mapping[str, Any] | None],
        before: Sequence[Predecessor],
        manifest_uri: str,
    ) -> Staging | None:
        """What has to be written for the job; None where its request names a manifest already."""

    def publish(self, staging: Staging) -> None:
        """Write it."""


class Lifecycle:
    """One custom-resource event against the service.

    Args:
        event: what CloudFormation asks for.
        jobs: the service.
        stack: what CloudFormation says of the stack.
        patience: how long there is for all of it.
        staging: lists, chooses and publishes images.
        preflight: `(request, properties) → tags`; reads all that the job would, and raises DeployError
            where the job should not be created. Its tags go on the job.
        in_progress: for how long a job that runs is watched, as mistakes of the set-up show there, unless
            the properties say how long.
    """

    def __init__(
        self,
        event: Event,
        *,
        jobs: Jobs,
        stack: Stack,
        patience: Patience,
        staging: StagingArea,
        preflight: Callable[[Mapping[str, Any], JobProperties], Mapping[str, str]] = lambda *_: {},
        in_progress: timedelta = timedelta(),
    ) -> None:
        self._event = event
        self._jobs = jobs
        self._stack = stack
        self._patience = patience
        self._staging = staging
        self._preflight = preflight
        self._in_progress = in_progress
        self._owned = Owned(jobs, event)
        self._removal = Removal(jobs, self._owned, stack, patience)
        # Whether this is a rollback that goes on with a job which its update stopped.
        self._goes_back = False

    def create(self) -> Outcome:
        """Create the event's job, or go on with the one that an interrupted run of it created.

        Raises:
            DeployError: the job can't be created, failed or was stopped; what was created has been stopped.
            NotYetError: the job is still ``Initializing`` and this invocation is out of time.
        """
        properties = parse(self._event.properties)
        name = planned_name(self._event, properties)
        self._while_iam_spreads(properties, lambda: self._ensure(name, properties))
        return self._proven(name, properties)

    def update(self) -> Outcome:
        """Change the tags in place; for anything else, put a new job beside the old one.

        CloudFormation deletes the old one when it cleans up. When it rolls back it asks for the old
        properties again: the old job is the answer. A rollback makes a job only where the update had stopped
        the old one, to go on from all labels that there are.
        """
        properties = parse(self._event.properties)
        name = self._event.current_id
        stack = self._stack.status()
        job = self._jobs.describe(name)
        if job is not None and self._is_kept(job):
            # A late event must change nothing.
            if stack.makes_resources or stack.rolls_back:
                self._sync_tags(job, properties.tags)
            if stack.rolls_back:
                self._removal.sweep(keep=name)
                return self._taken_back(job, properties) or _outcome(job)
            return _outcome(job)
        # A stack that doesn't say where it goes may go either way.
        forward = stack.makes_resources and stack != ""
        found = next(self._owned.others(name, _USEFUL if forward else _ANY_STATUS, as_wanted=True), None)
        if found is None or found["LabelingJobName"] == planned_name(self._event, properties):
            return self._replace(job, properties)
        if not stack and found["LabelingJobStatus"] not in _USEFUL:
            raise DeployError("CloudFormation doesn't say whether the stack rolls back (DescribeStacks)")
        former = found["LabelingJobName"]
        log.action("AdoptLabelingJob", job=former)
        if not forward and (job := self._jobs.describe(former)) is not None:
            return _outcome(job)
        return self._proven(former, properties)

    def _replace(self, old: Mapping[str, Any] | None, properties: JobProperties) -> Outcome:
        """Create the new job; one that can go on from the old one's labels asks only for what is missing.

        Raises:
            DeployError: as of `create`, or the new job can't go on from labels that are there.
        """
        name = planned_name(self._event, properties)
        if old is None or self._owned.claim(old) is None or self._jobs.describe(name) is not None:
            return self.create()
        if not keeps_labels(parsed_or_none(self._event.old_properties), properties, old):
            return self.create()
        return self._go_on([old], name, properties) or _outcome(old)

    def _go_on(
        self, old: Sequence[Mapping[str, Any]], name: str, properties: JobProperties
    ) -> Outcome | None:
        """Create a job that takes over what the old ones have labeled; None where nothing is left to label.

        Old jobs are stopped before the new one begins, because two running jobs would ask for the same
        images; and only when the new one is known to be right.
        """
        before = [Predecessor.of(job) for job in old]
        running = [job for job in old if job["LabelingJobStatus"] not in ENDED]
        if running:
            self._while_iam_spreads(properties, lambda: self._check(name, properties, before))
        for job in running:
            self._jobs.tag(job["LabelingJobArn"], {TAG_SUCCESSOR: name})
            self._removal.end(job["LabelingJobName"])
        staging = self._staged(name, properties, before)
        if staging is not None and not staging.kept.to_label:
            log.action("NothingLeftToLabel", job=old[-1]["LabelingJobName"], labels=staging.kept.kept)
            return None
        checked = briefly_checked(properties) if running else properties
        self._while_iam_spreads(properties, lambda: self._ensure(name, checked, before))
        return self._proven(name, properties)

    def _check(self, name: str, properties: JobProperties, before: Sequence[Predecessor]) -> None:
        """Refuse the new job while the old one still runs, if it is to be refused."""
        staging = self._staged(name, properties, before)
        if staging is not None:
            self._staging.publish(staging)
        self._preflight(self._request(name, properties, staging), properties)
        self._check_awaited()

    def _taken_back(self, job: Mapping[str, Any], properties: JobProperties) -> Outcome | None:
        """After an update that is rolled back: go on with what it stopped, from all labels there are.

        None where the update stopped nothing, or nothing is left to do. A rollback must not fail, so what
        can't be gone on with stays stopped, with its labels.
        """
        successor = self._jobs.tags(job["LabelingJobArn"]).get(TAG_SUCCESSOR)
        if successor is None or job["LabelingJobStatus"] not in ("Stopping", "Stopped"):
            return None
        self._goes_back = True
        next_job = self._jobs.describe(successor)
        old = [job, *([next_job] if next_job is not None and self._owned.claim(next_job) else [])]
        try:
            return self._go_on(old, planned_name(self._event, properties), properties)
        except (*AWS_ERRORS, DeployError) as error:
            log.action("StaysStopped", job=job["LabelingJobName"], error=said(error))
            return None

    def delete(self) -> Outcome:
        """Stop the job, if it is this resource's own and still lives."""
        physical_id = self._event.current_id
        try:
            self._removal.delete(self._event)
        except (*AWS_ERRORS, DeployError) as error:
            raise DeployError(
                f"{said(error)}. If the job still runs: aws sagemaker stop-labeling-job --labeling-job-name"
                f" {physical_id.removeprefix(NOT_CREATED)}"
            ) from error
        return Outcome(physical_id=physical_id)

    def _is_kept(self, job: Mapping[str, Any]) -> bool:
        """Nothing but tags and policies changes, or a rollback asks for what this job was made of."""
        new, old = map(fingerprint, (self._event.properties, self._event.old_properties))
        claim = self._owned.claim(job)
        return claim is not None and (claim.as_wanted or new == old)

    def _staged(self, name: str, properties: JobProperties, before: Sequence[Predecessor]) -> Staging | None:
        sources = properties.request.get("InputConfig", {}).get("DataSource", {})
        return self._staging.staged(
            properties.images,
            job_name=name,
            attribute=str(properties.request.get("LabelAttributeName")),
            describe=self._jobs.describe,
            before=before,
            manifest_uri=str(sources.get("S3DataSource", {}).get("ManifestS3Uri", "")),
        )

    def _ensure(self, name: str, properties: JobProperties, before: Sequence[Predecessor] = ()) -> None:
        """The job of this very request exists, made now or by an earlier try whose answer was lost."""
        job = self._jobs.describe(name)
        if job is None:
            staging = self._staged(name, properties, before)
            if staging is not None:
                self._staging.publish(staging)
            request = self._request(name, properties, staging)
            request["Tags"] += tag_list(self._preflight(request, properties))
            self._check_awaited()
            try:
                return self._jobs.create(request)
            except ClientError as error:
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

    def _request(self, name: str, properties: JobProperties, staging: Staging | None) -> dict[str, Any]:
        request: dict[str, Any] = {"LabelingJobName": name, **properties.request}
        if staging is not None:
            source = {"S3DataSource": {"ManifestS3Uri": staging.manifest_uri}}
            request["InputConfig"] = {**request.get("InputConfig", {}), "DataSource": source}
        request["Tags"] = tag_list({**properties.tags, **self._owned.tags})
        return request

    def _while_iam_spreads(self, properties: JobProperties, step: Callable[[], None]) -> None:
        until: datetime | None = None
        for seconds in pauses():
            try:
                return step()
            except AWS_ERRORS as error:
                # From the first refusal on: what came before it, such as a copy, may have taken long.
                until = until or self._patience.now() + _PROPAGATION
                if not _may_be_propagation(error, properties) or self._patience.now() > until:
                    raise DeployError(f"{said(error)}{_hint(error)}") from error
                log.action("WaitForIam", error=said(error))
            self._patience.pause(seconds, "IAM has not spread the new role yet")

    def _check_awaited(self) -> None:
        if not self._is_awaited():
            raise DeployError("CloudFormation no longer waits for this job: its stack rolls back or is done")

    def _is_awaited(self) -> bool:
        status = self._stack.status()
        return status.makes_resources or (self._goes_back and status.rolls_back)

    def _check_handed_over(self, name: str) -> None:
        """Somebody takes the job: the stack still waits, or has it from another run of this request."""
        if not self._is_awaited() and self._stack.physical_id() not in (name, None):
            raise DeployError(f"CloudFormation gave up while the job {name!r} was made")

    def _proven(self, name: str, properties: JobProperties) -> Outcome:
        try:
            # At once, because a stack that is torn down soon has no permission left to stop the job with;
            # and again, because nothing says that the stack waited while the job was watched.
            self._check_handed_over(name)
            outcome = self._watch(name, properties)
            self._check_handed_over(name)
            return outcome
        except NotYetError:
            raise
        except Exception:  # whatever it was, the job must not go on without a stack that has it
            self._removal.abandon(name)
            raise

    def _watch(self, name: str, properties: JobProperties) -> Outcome:
        probation, told = timedelta(seconds=properties.probation_seconds), properties.watch_seconds
        in_progress = self._in_progress if told is None else timedelta(seconds=told)
        begun: datetime | None = None
        for seconds in pauses():
            job = self._jobs.describe(name)
            if job is None:
                raise DeployError(f"the job {name!r} was created and is gone")
            status, where = job["LabelingJobStatus"], f" ({_console(job['LabelingJobArn'])})"
            if status == "Completed":
                log.action("Started", job=name, status=status)
                return _outcome(job)
            if status == "InProgress":
                begun = begun or self._patience.now()
                if (wrong := _set_up_wrong(job)) is not None:
                    raise DeployError(f"the job {name!r} started and can't go on: {wrong}{where}")
                old = self._patience.now() - job["CreationTime"] >= probation + in_progress
                if not probation or old or self._patience.now() - begun >= in_progress:
                    log.action("Started", job=name, status=status)
                    return _outcome(job)
            elif status == "Failed":
                reason = job.get("FailureReason", "no reason given")
                raise DeployError(f"the job {name!r} failed: {reason}{where}")
            elif status in ("Stopping", "Stopped"):
                raise DeployError(f"the job {name!r} was stopped by somebody while it was deployed{where}")
            elif self._patience.now() - job["CreationTime"] >= probation:
                log.action("ProbationOver", job=name, status=status)
                return _outcome(job)
            self._patience.pause(seconds, f"the job {name!r} is still {status}")
        raise AssertionError("pauses never end")

    def _sync_tags(self, job: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
        """Set the stack's tags, and remove those that it set before and has no more.

        What others put on the job, such as cost allocation or auto-tagging, is theirs.
        """
        arn = job["LabelingJobArn"]
        there = self._jobs.tags(arn)
        new = {key: value for key, value in wanted.items() if there.get(key) != value}
        gone = sorted(_keys_set_before(self._event) & set(there) - set(wanted))
        self._jobs.tag(arn, new)
        self._jobs.untag(arn, gone)
        log.action("SyncTags", job=arn, set=sorted(new), removed=gone)


def _keys_set_before(event: Event) -> set[str]:
    # Read without the contract: an older release may have written them.
    tags = event.old_properties.get("Tags", ())
    return {str(tag.get("Key")) for tag in tags if isinstance(tag, Mapping)}


def planned_name(event: Event, properties: JobProperties) -> str:
    """The name of the job that this event creates."""
    return job_name(
        properties.job_name_prefix,
        stack_id=event.stack_id,
        logical_id=event.logical_id,
        request_id=event.request_id,
    )


def _set_up_wrong(job: Mapping[str, Any]) -> str | None:
    """Why a job that is in progress won't label anything; None where nothing says so.

    Sources differ on whether the service begins with a small batch, so a few objects that failed, and none
    that was labeled, have to do.
    """
    if reason := job.get("FailureReason"):
        return str(reason)
    counters = job.get("LabelCounters", {})
    failed, labeled = counters.get("FailedNonRetryableError", 0), counters.get("TotalLabeled", 0)
    objects = failed + labeled + counters.get("Unlabeled", 0)
    if failed and not labeled and failed >= min(objects, _FIRST_OBJECTS):
        return f"its first {failed:,} objects all failed and none was labeled"
    return None


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


def _hint(error: BaseException) -> str:
    """Why CreateLabelingJob itself may be refused; of any other call the hint would mislead."""
    return _CLOSED_HINT if operation_of(error) == "CreateLabelingJob" else ""


def _may_be_propagation(error: BaseException, properties: JobProperties) -> bool:
    """Access denied, or a complaint about the very role: both pass once IAM has spread what is new."""
    if code_of(error) in DENIED_CODES:
        return True
    return code_of(error) == "ValidationException" and str(properties.request.get("RoleArn")) in str(error)


def _console(job_arn: str) -> str:
    region, name = job_arn.split(":")[3], job_arn.rpartition("/")[2]
    return f"https://{region}.console.aws.amazon.com/sagemaker/groundtruth?region={region}#/labeling-jobs/details/{name}"
