"""Create and update of one labeling job: what is decided, apart from who calls and who is answered.

`creation` makes jobs, `watching` looks at them for some minutes, `removal` ends them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import log
from .contract import (
    ATTR_JOB_ARN,
    ATTR_OUTPUT_MANIFEST_URI,
    ATTR_OUTPUT_URI,
    ATTR_WARNINGS,
    ESTIMATES,
    TAG_FOLLOWER,
    TAG_SUCCESSOR,
    TAG_WARNINGS,
    JobProperties,
    parse,
    parsed_or_none,
)
from .creation import Creation, Preflight, StagingArea
from .errors import DeployError, NotYetError, said
from .event import Event
from .jobs import ENDED, LIVE, Jobs
from .owned import Owned, fingerprint, job_name
from .patience import Patience
from .removal import NOT_CREATED, Removal
from .stack import Stack
from .succession import briefly_checked, keeps_labels
from .transport import AWS_ERRORS
from .watching import Watch

_FAILURES: tuple[type[Exception], ...] = (*AWS_ERRORS, DeployError)
_USEFUL = (*LIVE, "Completed")
_ANY_STATUS = (*_USEFUL, "Stopping", "Failed", "Stopped")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What CloudFormation is told of a job that is there."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


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
        preflight: Preflight = lambda *_: {},
        in_progress: timedelta = timedelta(),
    ) -> None:
        self._event = event
        self._jobs = jobs
        self._stack = stack
        self._owned = Owned(jobs, event)
        self._creation = Creation(
            jobs,
            self._owned,
            patience,
            staging=staging,
            preflight=preflight,
            check_awaited=self._check_awaited,
        )
        self._watch = Watch(jobs, patience, in_progress)
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
        self._creation.ensure(name, properties)
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
                self._removal.sweep(keep=name, made=planned_name(self._event, properties))
                return self._taken_back(job, properties) or _outcome(job)
            return _outcome(job)
        # A stack that doesn't say where it goes may go either way.
        forward = stack.makes_resources and stack != ""
        planned = planned_name(self._event, properties)
        others = self._owned.others(name, _USEFUL if forward else _ANY_STATUS, as_wanted=True)
        # What a rollback's request has made before it died goes on from the job that is looked for.
        skipped = planned if stack.rolls_back else None
        found = next((each for each in others if each["LabelingJobName"] != skipped), None)
        if found is None or found["LabelingJobName"] == planned:
            return self._replace(job, properties)
        if not stack and found["LabelingJobStatus"] not in _USEFUL:
            raise DeployError("CloudFormation doesn't say whether the stack rolls back (DescribeStacks)")
        former = found["LabelingJobName"]
        log.action("AdoptLabelingJob", job=former)
        if not forward and (job := self._jobs.describe(former)) is not None:
            # Its update may have stopped it and gone on; what it goes back to has those labels, too.
            return (self._taken_back(job, properties) if stack.rolls_back else None) or _outcome(job)
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
        chain = self._owned.with_followers(old)
        # Where nothing is left to label, the last of them has all labels in its output.
        return self._go_on(chain, name, properties) or _outcome(chain[-1])

    def _go_on(
        self, old: Sequence[Mapping[str, Any]], name: str, properties: JobProperties
    ) -> Outcome | None:
        """Create a job that takes over what the old ones have labeled; None where nothing is left to label.

        Old jobs are stopped before the new one begins, because two running jobs would ask for the same
        images; and only when the new one is known to be right.
        """
        # Only an update that goes on from another job needs them.
        from .predecessors import Predecessor

        before = [Predecessor.of(job) for job in old]
        running = [job for job in old if job["LabelingJobStatus"] not in ENDED]
        if running:
            self._creation.check(name, properties, before)
        # This is tagged before the new job is there, so that no death hides what it will have.
        self._jobs.tag(
            old[-1]["LabelingJobArn"], {TAG_SUCCESSOR if old[-1] in running else TAG_FOLLOWER: name}
        )
        for job in running:
            self._jobs.end(job["LabelingJobName"])
        staging = self._creation.staged(name, properties, before)
        if staging is not None and not staging.kept.to_label:
            log.action("NothingLeftToLabel", job=old[-1]["LabelingJobName"], labels=staging.kept.kept)
            return None
        checked = briefly_checked(properties) if running else properties
        self._creation.ensure(name, checked, before)
        return self._proven(name, properties)

    def _taken_back(self, job: Mapping[str, Any], properties: JobProperties) -> Outcome | None:
        """After an update that is rolled back: go on with what it stopped, from all labels there are.

        Where nothing is left to label, the last job that went on has them all. None where the update stopped
        nothing. A rollback must not fail, so what can't be gone on with stays stopped, with its labels.
        """
        successor = self._jobs.tags(job["LabelingJobArn"]).get(TAG_SUCCESSOR)
        if successor is None or job["LabelingJobStatus"] not in ("Stopping", "Stopped"):
            return None
        self._goes_back = True
        name = planned_name(self._event, properties)
        try:
            # An earlier delivery of this request may have made the job that goes on.
            chain = [each for each in self._owned.with_followers(job) if each["LabelingJobName"] != name]
            return self._go_on(chain, name, properties) or _outcome(chain[-1])
        except _FAILURES as error:
            log.action("StaysStopped", job=job["LabelingJobName"], error=said(error))
        made = self._jobs.describe(name)
        # The stack takes one that couldn't be stopped: nobody else would ever end it.
        return _outcome(made) if made is not None and made["LabelingJobStatus"] in LIVE else None

    def delete(self) -> Outcome:
        """Stop the job, if it is this resource's own and still lives."""
        physical_id = self._event.current_id
        try:
            self._removal.delete(self._event)
        except _FAILURES as error:
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
            # It is checked at once: a stack that is torn down soon has no permission left to stop a job with;
            # and again, because nothing says that the stack waited while the job was watched.
            self._check_handed_over(name)
            job = self._watch(name, properties)
            self._check_handed_over(name)
            return _outcome(job)
        except NotYetError:
            raise
        except Exception:  # whatever it was, the job must not go on without a stack that has it
            self._removal.abandon(name)
            raise

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


def _outcome(job: Mapping[str, Any]) -> Outcome:
    name, tags = job["LabelingJobName"], {tag["Key"]: tag["Value"] for tag in job.get("Tags", ())}
    output = f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/{name}"
    return Outcome(
        physical_id=name,
        data={
            ATTR_JOB_ARN: job["LabelingJobArn"],
            ATTR_OUTPUT_URI: f"{output}/",
            ATTR_OUTPUT_MANIFEST_URI: f"{output}/manifests/output/output.manifest",
            # These were estimated when the job was made; a job made without preflight was never counted.
            **{name: tags.get(tag, "unknown") for name, tag in ESTIMATES.items()},
            ATTR_WARNINGS: _warnings(tags.get(TAG_WARNINGS), job),
        },
    )


def _warnings(count: str | None, job: Mapping[str, Any]) -> str:
    """How many there were and where they are told: CloudFormation has no words for a success."""
    if count is None:
        return "not checked"
    if count == "0":
        return "none"
    report = f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/preflight/{job['LabelingJobName']}.json"
    return f"{count}, see {report} or PreflightFound in the handler's log"
