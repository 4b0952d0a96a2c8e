"""The Ground Truth service: the API in front, the job engine behind it, the task queue for workers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import authorization
from .control import LabelingJobOperations
from .engine import Engine
from .errors import ServiceError
from .jobs import Job, JobBook
from .pages import render_task
from .queue import Task, TaskQueue
from .runner import Pace
from .s3 import RoleS3
from .store import Store
from .team_operations import TagOperations, WorkteamOperations
from .teams import TeamBook
from .types import Answer, AwsAccess, Call, Check
from .validation import check_request

_log = logging.getLogger(__name__)
_DEFAULT_TEAM_SIZE = 9  # as many as an object can have workers


class GroundTruthService:
    """SageMaker Ground Truth for image semantic segmentation, without an AWS account."""

    ACTIONS = frozenset(
        {
            "AddTags",
            "CreateLabelingJob",
            "CreateWorkteam",
            "DeleteTags",
            "DeleteWorkteam",
            "DescribeLabelingJob",
            "DescribeWorkteam",
            "ListLabelingJobs",
            "ListLabelingJobsForWorkteam",
            "ListTags",
            "ListWorkteams",
            "StopLabelingJob",
            "UpdateWorkteam",
        }
    )
    """The operations that are answered here."""

    def __init__(
        self,
        state_dir: Path | None,
        aws: AwsAccess,
        *,
        workteams: Sequence[str] = (),
        team_size: int = _DEFAULT_TEAM_SIZE,
        max_live_jobs: int = 100,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the state.

        Args:
            state_dir: where the state is kept; ``None`` keeps it until ``stop`` only.
            aws: the AWS around the service.
            workteams: ARNs of work teams (private or vendor) that are there from the start.
            team_size: how many local members a work team gets.
            max_live_jobs: concurrent jobs in an account and Region; more are ``ResourceLimitExceeded``.
            pace: how long the service takes its time.
            clock: seconds since 1970; tests move it by hand.
        """
        self.store = self._store = Store(state_dir)
        """What the portal keeps lies beside it."""
        self._jobs = JobBook(self._store)
        self.clock = self._clock = clock
        """Seconds since 1970, as the service sees them."""
        self.teams = TeamBook(self._store, size=team_size)
        self.queue = TaskQueue(self._store, self._jobs, self.teams, clock)
        self._engine = Engine(
            store=self._store,
            jobs=self._jobs,
            teams=self.teams,
            queue=self.queue,
            aws=aws,
            clock=clock,
            pace=pace or Pace(),
        )
        self._operations = self._bind(max_live_jobs)
        for arn in workteams:
            self.add_workteam(arn)

    def _bind(self, max_live_jobs: int) -> dict[str, Callable[[Call], dict[str, Any]]]:
        jobs = LabelingJobOperations(
            jobs=self._jobs,
            teams=self.teams,
            engine=self._engine,
            clock=self._clock,
            max_live_jobs=max_live_jobs,
        )
        teams = WorkteamOperations(teams=self.teams, jobs=self._jobs, clock=self._clock)
        tags = TagOperations(self._jobs)
        return {
            "CreateLabelingJob": jobs.create,
            "DescribeLabelingJob": jobs.describe,
            "StopLabelingJob": jobs.stop,
            "ListLabelingJobs": jobs.list,
            "ListLabelingJobsForWorkteam": jobs.list_for_workteam,
            "CreateWorkteam": teams.create,
            "DescribeWorkteam": teams.describe,
            "UpdateWorkteam": teams.update,
            "DeleteWorkteam": teams.delete,
            "ListWorkteams": teams.list,
            "AddTags": tags.add,
            "ListTags": tags.list,
            "DeleteTags": tags.delete,
        }

    def add_workteam(self, arn: str) -> None:
        """Make sure that a work team of this ARN exists, private or vendor."""
        now = round(self._clock(), 3)
        name = arn.rpartition("/")[2]
        member = {
            "CognitoMemberDefinition": {"UserPool": "local_pool", "UserGroup": name, "ClientId": "local"}
        }
        document = {
            "WorkteamName": name,
            "WorkteamArn": arn,
            "MemberDefinitions": [member],
            "Description": "A local work team",
            "CreateDate": now,
            "LastUpdatedDate": now,
        }
        self.teams.add(arn, document, {})

    def start(self) -> None:
        """Start the job engine and take up the jobs that were live."""
        self._engine.start()

    def stop(self) -> None:
        """Stop the engine within a few seconds; the state is in the store already."""
        self._engine.stop()
        self._store.close()

    def authorization(self, call: Call) -> list[Check]:
        """List the permissions the call needs."""
        return authorization.checks(call, self._jobs)

    def handle(self, call: Call) -> Answer:
        """Answer a call."""
        operation = self._operations.get(call.operation)
        if operation is None:
            return Answer.error("UnknownOperationException", f"The operation {call.operation} is not known.")
        try:
            check_request(call.operation, call.body)
            return Answer(body=operation(call))
        except ServiceError as error:
            return Answer.error(error.code, error.message, status=error.status)
        except Exception:
            _log.exception("answering %s", call.operation)
            message = "The request processing has failed because of an unknown error, exception or failure."
            return Answer.error("InternalFailure", message, status=500)

    def job(self, arn: str) -> Job | None:
        """Return a job by its ARN, with the request as it was received."""
        return self._jobs.get(arn)

    def image(self, task: Task) -> bytes:
        """Return a task's picture, read with the job's role."""
        return self._role_s3(task).read(task.source, "image", limit=1 << 30)

    def page(self, task: Task) -> str:
        """Return a task's page: the job's template, rendered for the task's object."""
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        return render_task(job, task, self._role_s3(task), now=self._clock())

    def _role_s3(self, task: Task) -> RoleS3:
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        return self._engine.role_s3(job)
