"""How jobs end: a Delete, a failed create, and what a request left behind that died for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from . import log
from .contract import REMOVAL_RETAIN
from .errors import DeployError, NotYetError, said
from .event import Event
from .jobs import LIVE, Jobs
from .owned import Owned
from .patience import Patience, pauses
from .stack import Stack, Status
from .transport import AWS_ERRORS

#: Starts the physical id in the answer to a failed create. CloudFormation sends it back with a Delete,
#: which so knows that no job of this resource was ever handed over.
NOT_CREATED: Final = "not-created:"
_FAILURES: tuple[type[Exception], ...] = (*AWS_ERRORS, DeployError, NotYetError)

# A create that CloudFormation cancelled may have asked for its job just now.
_SETTLE = timedelta(seconds=30)


class Removal:
    """Stops jobs of one event's resource."""

    def __init__(self, jobs: Jobs, owned: Owned, stack: Stack, patience: Patience) -> None:
        self._jobs = jobs
        self._owned = owned
        self._stack = stack
        self._patience = patience

    def delete(self, event: Event) -> None:
        """Stop the event's job and what else of the resource the stack doesn't own, and wait for the end.

        Raises:
            NotYetError: a job is still stopping and this invocation is out of time.
            DeployError: a job has not stopped in time.
        """
        physical_id = event.current_id
        name = physical_id.removeprefix(NOT_CREATED)
        job = self._jobs.describe(name)
        claim = self._owned.claim(job) if job else None
        status = self._stack.status()
        if job is None or claim is None or physical_id != name:
            log.action("DeleteWhatIsLeft", of=physical_id, there=job is not None, own=claim is not None)
            self._end_all([job] if job and claim else [])
            if status.deletes:
                self._end_unanswered(name, settle=physical_id == name)
        elif claim.released:
            log.action("DeleteNothing", job=name, why="an earlier delivery gave the job up")
        elif not status.deletes and self._stack.physical_id() == name:
            log.action("DeleteNothing", job=name, why="a late event: the stack goes on with the job")
        else:
            retained = _is_retained(event, status)
            self._end_all(self._strays(name, status))
            # Last, because a job that is given up says that all of this is done.
            if retained:
                log.action("RetainLabelingJob", job=name)
                self._owned.release(job)
            else:
                self._end_all([job])

    def sweep(self, keep: str, made: str) -> None:
        """Stop what a request left that CloudFormation gave up on; the stack goes back to `keep`.

        An earlier delivery of this very request may have `made` a job, which is not left.
        """
        live = list(self._owned.others(keep, LIVE))
        # What the stack has it deletes itself; and a late event may come in the rollback of another update.
        current = self._stack.physical_id() if live else None
        for job in live:
            if job["LabelingJobName"] not in (current, made):
                self._give_up(job)

    def abandon(self, name: str) -> None:
        """Stop the job of a failed request, unless another run of the request has handed it over.

        The failure is what has to be told, not what its clean-up met: CloudFormation's Delete or rollback
        comes back for what is left.
        """
        try:
            job = self._jobs.describe(name)
            if job is None or job["LabelingJobStatus"] not in LIVE:
                return
            claim = self._owned.claim(job)
            if claim is None or not claim.of_request or claim.released:
                return
            if self._stack.physical_id() in (name, None):
                log.action("LeaveLabelingJob", job=name, why="the stack has it")
                return
            self._give_up(job)
        except _FAILURES as error:
            log.action("StopLabelingJobFailed", job=name, error=said(error))

    def _give_up(self, job: Mapping[str, Any]) -> None:
        # One that can't be stopped just now is left to be found by CloudFormation's next request.
        if self._jobs.stop(job["LabelingJobName"]):
            self._owned.release(job)

    def _strays(self, name: str, status: Status) -> list[dict[str, Any]]:
        """Jobs beside the deleted one of which the stack knows nothing."""
        live = list(self._owned.others(name, LIVE))
        if not live or status in ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            return live
        # A replacement is cleaned up, and the stack goes on with another job. Where it still names the
        # deleted one, or none, there is no telling which of the others that is.
        current = self._stack.physical_id()
        if current not in [job["LabelingJobName"] for job in live]:
            return []
        return [job for job in live if job["LabelingJobName"] != current]

    def _end_unanswered(self, name: str, *, settle: bool) -> None:
        """No create of the resource was ever answered with success, so whatever lives is nobody's."""
        until = self._patience.now() + (_SETTLE if settle else timedelta())
        for seconds in pauses():
            live = list(self._owned.others(name, LIVE))
            current = self._stack.physical_id() if live else None
            self._end_all([job for job in live if job["LabelingJobName"] != current])
            if self._patience.now() >= until:
                return
            self._patience.pause(seconds, "a cancelled create may still be at work")

    def _end_all(self, jobs: Iterable[Mapping[str, Any]]) -> None:
        for job in jobs:
            self._jobs.end(job["LabelingJobName"])
            # Last, so that a Delete that dies before it finds the job again.
            self._owned.release(job)


def _is_retained(event: Event, status: Status) -> bool:
    # Read without the contract: a Delete has to work with whatever an older release wrote.
    if event.properties.get("RemovalPolicy") != REMOVAL_RETAIN:
        return False
    if not status:
        raise DeployError("CloudFormation doesn't say whether the stack rolls back (DescribeStacks)")
    # What a failed deploy has made is not what the user wants to keep.
    return "ROLLBACK" not in status
