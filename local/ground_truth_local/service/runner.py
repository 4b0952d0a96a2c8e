"""A labeling job from ``Initializing`` to its end, in a thread of its own.

One thread per live job and no pool inside: however many objects a job has, nothing waits for a free slot that
it holds itself. All progress is in the store, so a thread that ends with the server is taken up by the next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ..sources import holds
from .dataset import Dataset
from .errors import SORRY, JobFailure
from .jobs import Job, JobBook
from .labeling import Labeler
from .life import (
    AUTOMATED_FIRST_FAILED,
    FIRST_BATCH,
    FIRST_BATCH_FAILED,
    IN_PROGRESS_SOON,
    LIFETIME,
    NO_AUTOMATION,
    NOTHING_LABELED,
    STOP_PARTIAL,
    STOP_WRITES,
)
from .output import OutputWriter
from .pace import Pace, Turn
from .preparation import prepare
from .queue import TaskQueue
from .s3 import RoleS3
from .store import Store
from .teams import TeamBook
from .telemetry import Telemetry
from .topic import publish
from .types import AwsAccess

PROBE_BATCH = 10
#: Share of the first objects of an automated job that may fail.
MOST_FIRST_FAILED = 0.1
_MANIFEST_SHARE = 20
JOB_LIFETIME = 30 * 24 * 3_600

_log = logging.getLogger(__name__)


class JobRunner:
    """Runs one job; ``run`` returns when the job has ended or ``halt`` is set."""

    def __init__(
        self,
        job: Job,
        *,
        store: Store,
        jobs: JobBook,
        queue: TaskQueue,
        teams: TeamBook,
        output: OutputWriter,
        s3: RoleS3,
        aws: AwsAccess,
        clock: Callable[[], float],
        pace: Pace,
        max_objects: int,
        poll: Callable[[], float],
        halt: threading.Event,
    ) -> None:
        self._job = job
        self._store = store
        self._jobs = jobs
        self._queue = queue
        self._output = output
        self._s3 = s3
        self._clock = clock
        self._pace = pace
        self._max_objects = max_objects
        self._halt = halt
        self._poll = poll
        self._manifest, self._consolidation, self._deadlines = Turn(), Turn(), Turn()
        self._dataset = Dataset(job, store, jobs)
        self._labeler = Labeler(job, store=store, s3=s3, output=output, clock=clock)
        self._telemetry = Telemetry(
            job,
            store=store,
            jobs=jobs,
            teams=teams,
            clients=s3,
            aws=aws,
            clock=clock,
            every=pace.telemetry_every,
        )

    def run(self) -> None:
        """Work until the job has ended; whatever goes wrong ends the job, never the server."""
        try:
            self._work()
        except JobFailure as failure:
            # A server that is going down refuses connections: no fault of the job's.
            if not (self._halt.is_set() and failure.reason.startswith("InternalServerError")):
                self._fail(failure.reason)
        except Exception:
            # Nobody waits for this thread: an error of ours ends the job with words, as SageMaker's own do.
            if not self._halt.is_set():
                _log.exception("running %s", self._job.arn)
                self._fail(SORRY)
        finally:
            self._queue.forget(self._job.arn)

    def _work(self) -> None:
        while not self._halt.is_set():
            self._reload()
            match self._job.status:
                case "Initializing":
                    busy = self._initialize()
                case "InProgress":
                    busy = self._advance()
                case "Stopping":
                    busy = self._stop()
                case _:
                    return
            self._telemetry.flush()
            if not busy:
                self._queue.wait(self._job.arn, self._rest())

    def _rest(self) -> float:
        """How long to wait for an answer, a stop or a deadline."""
        left = self._consolidation.seconds_left
        return min(self._poll(), left) if left > 0 else self._poll()

    def _reload(self) -> None:
        current = self._jobs.get(self._job.arn)
        assert current is not None, "jobs are never removed"
        self._job.take_over(current)

    def _save(self, *, status: str | None = None, **changes: Any) -> bool:
        """Store changes, unless the job's status was changed meanwhile (a stop came in)."""
        before = self._job.status
        for name, value in changes.items():
            setattr(self._job, name, value)
        self._job.status = status or before
        self._job.modified = self._clock()
        return self._jobs.save(self._job, only_if=(before,))

    @holds(IN_PROGRESS_SOON)
    def _initialize(self) -> bool:
        if self._clock() < self._job.created + self._pace.initializing:
            return False
        if self._pace.set_up_while_initializing:
            self._prepare()
        return self._save(status="InProgress")

    def _set_up(self) -> bool:
        if self._clock() < self._job.created + self._pace.initializing + self._pace.set_up:
            return False
        self._prepare()
        return self._save()

    def _prepare(self) -> None:
        prepare(
            self._job,
            store=self._store,
            s3=self._s3,
            output=self._output,
            max_objects=self._max_objects,
        )

    def _advance(self) -> bool:
        """Do a slice of what there is to do; ``False`` if only time or workers can bring more."""
        self._check_lifetime()
        if not self._job.loaded:
            return self._set_up()
        self._look_at_deadlines()
        # Each has its turn, so that neither opening nor consolidating starves the other.
        opened = self._open_slice()
        consolidated = self._consolidate_slice()
        if opened or consolidated:
            return True
        if self._dataset.count("batch", "open", "ready"):
            return False
        return self._next_batch()

    def _look_at_deadlines(self) -> None:
        """Close tasks and objects whose time is over, as often as a waiting job does."""
        if not self._deadlines.is_due:
            return
        # All that is out is looked through: with each answer, that would be most of the work.
        self._deadlines.done(self._poll())
        self._queue.expire(self._job.arn)
        for index in self._dataset.expire(self._clock()):
            self._labeler.fail(
                index, "ClientError: The data object expired before a worker submitted an annotation."
            )

    def _check_lifetime(self) -> None:
        if self._clock() > self._job.created + JOB_LIFETIME:
            raise JobFailure(
                LIFETIME, "ClientError: The labeling job has expired: labeling jobs fail after 30 days."
            )

    def _open_slice(self) -> bool:
        rows = self._dataset.to_open()
        for row in rows:
            self._labeler.open(row["idx"], row["line"])
        if rows:
            self._queue.notify(self._job.arn)
        return bool(rows)

    def _consolidate_slice(self) -> bool:
        if not self._is_consolidation_due() or not (rows := self._dataset.ready()):
            return False
        self._consolidation.done(self._pace.consolidation_every)
        labels = self._labeler.consolidate(rows, self._job.iteration)
        publish(labels, self._job, self._s3)
        if self._manifest.is_due:
            started = time.monotonic()
            self._output.batch_manifest(self._job, self._job.iteration)
            # However long the manifest is, little of the time goes into writing what the next one replaces.
            took = time.monotonic() - started
            self._manifest.done(max(self._pace.manifest_every, _MANIFEST_SHARE * took))
        return True

    def _is_consolidation_due(self) -> bool:
        """Whether to consolidate what is answered, or wait for more: each request writes two files."""
        return (
            self._consolidation.is_due
            or self._dataset.chunk_is_full()
            or not self._dataset.count("batch", "open")
        )

    @holds(FIRST_BATCH)
    def _next_batch(self) -> bool:
        """Close the batch and open the next, or end the job."""
        if self._job.iteration:
            self._finish_batch()
        if self._dataset.count("pending") == 0:
            self._complete()
            return True
        allowed = self._dataset.allowed()
        if allowed <= 0:
            return self._save(status="Stopping")
        size = min(self._job.task["MaxConcurrentTaskCount"], allowed)
        iteration = self._job.iteration + 1
        self._dataset.assign(iteration, min(size, PROBE_BATCH) if iteration == 1 else size)
        return self._save(iteration=iteration)

    def _finish_batch(self) -> None:
        self._output.batch_manifest(self._job, self._job.iteration)
        self._output.dataset_manifest(self._job, self._job.iteration)
        if self._job.iteration == 1:
            self._check_first_batch()

    @holds(NO_AUTOMATION)
    def _check_first_batch(self) -> None:
        if self._dataset.nothing_opened(1):
            raise JobFailure(
                FIRST_BATCH_FAILED,
                self._dataset.first_failure(
                    "The first data objects all failed, so the job is not set up correctly"
                ),
            )
        automated = self._job.request.get("LabelingJobAlgorithmsConfig") is not None
        if automated and self._dataset.failed_share(1) > MOST_FIRST_FAILED:
            raise JobFailure(
                AUTOMATED_FIRST_FAILED,
                self._dataset.first_failure("More than 10 % of the first data objects failed"),
            )

    @holds(NOTHING_LABELED)
    def _complete(self) -> None:
        self._output.output_manifest(self._job)
        self._end("Completed", output_written=True)

    @holds(STOP_WRITES, STOP_PARTIAL)
    def _stop(self) -> bool:
        """Write what there is; answers for objects that lack others are kept as worker responses."""
        self._queue.cancel(self._job.arn)
        if self._clock() < self._job.modified + self._pace.stopping:
            return False
        written = False
        if self._job.loaded:
            try:
                self._write_partial()
                written = True
            except JobFailure as failure:
                # A stop must end even where the role may no longer write.
                _log.warning("stopping %s: %s", self._job.arn, failure)
        self._end("Stopped", output_written=written)
        return True

    def _write_partial(self) -> None:
        while rows := self._dataset.ready():
            self._labeler.consolidate(rows, self._job.iteration)
        for row in self._dataset.partly_answered():
            answers = self._labeler.submitted(row["idx"])
            self._output.worker_response(self._job, row["idx"], row["iteration"], answers)
        self._output.output_manifest(self._job)

    def _fail(self, reason: str) -> None:
        _log.info("%s failed: %s", self._job.arn, reason)
        self._reload()
        self._queue.cancel(self._job.arn)
        written = False
        if self._job.loaded:
            try:
                self._write_partial()
                written = True
            except Exception:
                # What made the job fail may well strike here again, whatever it was; the job has to end.
                _log.info("%s: no output manifest", self._job.arn)
        # A stop that came in meanwhile doesn't hide the failure.
        self._end("Failed", failure_reason=reason, output_written=written)

    def _end(self, status: str, **changes: Any) -> None:
        if not self._save(status=status, **changes):
            self._reload()
            self._save(status=status, **changes)
        self._queue.notify(self._job.arn)
        self._telemetry.ended(status)
