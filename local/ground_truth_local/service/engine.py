"""Starts a runner for each live job, and stops them all with the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .jobs import LIVE, Job, JobBook
from .output import OutputWriter
from .pace import Pace
from .queue import TaskQueue
from .quotas import Quotas
from .runner import JobRunner
from .s3 import RoleS3
from .store import Store
from .teams import TeamBook
from .types import AwsAccess

_STOP_SECONDS = 5.0
_JOBS_AT_FULL_PACE = 25
_SESSION_SECONDS = 1.0


class Engine:
    """The job engine."""

    def __init__(
        self,
        *,
        store: Store,
        jobs: JobBook,
        teams: TeamBook,
        queue: TaskQueue,
        aws: AwsAccess,
        clock: Callable[[], float],
        pace: Pace,
        quotas: Quotas,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._teams = teams
        self._queue = queue
        self._aws = aws
        self._clock = clock
        self._pace = pace
        self._quotas = quotas
        self._halt = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._sessions: dict[str, tuple[float, RoleS3]] = {}
        self._running = False

    def start(self) -> None:
        """Take up the jobs that were live when the service last stopped."""
        self._halt.clear()
        with self._lock:
            self._running = True
        for job in self._jobs.with_status(LIVE):
            self.launch(job)

    def launch(self, job: Job) -> None:
        """Run a job; does nothing before ``start``, which finds it in the store."""
        with self._lock:
            if not self._running:
                return
            self._threads = {arn: thread for arn, thread in self._threads.items() if thread.is_alive()}
            if job.arn not in self._threads:
                thread = threading.Thread(target=self._runner(job).run, name=f"job {job.name}", daemon=True)
                self._threads[job.arn] = thread
                thread.start()

    def _runner(self, job: Job) -> JobRunner:
        s3 = self.role_s3(job)
        return JobRunner(
            job,
            store=self._store,
            jobs=self._jobs,
            queue=self._queue,
            teams=self._teams,
            output=OutputWriter(self._store, self._teams, s3, self._clock),
            s3=s3,
            aws=self._aws,
            clock=self._clock,
            pace=self._pace,
            max_objects=self._quotas.objects,
            poll=self._poll,
            halt=self._halt,
        )

    def _poll(self) -> float:
        """Look at deadlines less often the more jobs live, so that looking alone doesn't fill the time."""
        return self._pace.poll * max(1.0, len(self._threads) / _JOBS_AT_FULL_PACE)

    def role_s3(self, job: Job) -> RoleS3:
        """Return S3 as the job's role sees it."""
        return RoleS3(self._aws, role=job.role, account=job.account, region=job.region)

    def shared_role_s3(self, job: Job) -> RoleS3:
        """Return the same for what is over soon; the role is assumed again after a second."""
        now = time.monotonic()
        since, s3 = self._sessions.get(job.arn, (0.0, None))
        if s3 is None or now - since > _SESSION_SECONDS:
            self._sessions = {
                arn: kept for arn, kept in list(self._sessions.items()) if now - kept[0] <= _SESSION_SECONDS
            }
            s3 = self.role_s3(job)
            self._sessions[job.arn] = (now, s3)
        return s3

    def stop(self) -> None:
        """Stop all runners within a few seconds; their jobs stay as they are."""
        with self._lock:
            self._running = False
            threads = list(self._threads.values())
            self._threads = {}
        self._halt.set()
        self._queue.notify()
        for thread in threads:
            thread.join(_STOP_SECONDS / max(len(threads), 1) + 0.5)
