"""The Ground Truth service: the API in front, the job engine behind it, the task queue for workers."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..door import ADVANCE, OPERATIONS, ORDER
from ..orders import Orders
from ..sources import Rule, holds, twin
from . import adjustment, authorization
from .clock import Clock
from .control import LabelingJobOperations
from .cors import IN_THE_BROWSER, Cors
from .engine import Engine
from .errors import JobFailure, ServiceError, validation
from .jobs import Job, JobBook
from .masks import Mask
from .pace import Pace
from .pages import render_task
from .queue import TaskQueue
from .quotas import Quotas
from .rules import S3Location
from .s3 import RoleS3
from .store import Store
from .tasks import Task
from .team_operations import TagOperations, WorkteamOperations
from .teams import TeamBook
from .types import Answer, AssumeRoleDenied, AwsAccess, Call, Check
from .validation import check_request

ORDERED = Rule(
    "orders",
    "Simulated workers and the wire take orders of the account's administrator while the server runs.",
    twin("tests order their failures; AWS has no such thing"),
)

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
            ADVANCE,
            ORDER,
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
        quotas: Quotas | None = None,
        pace: Pace | None = None,
        foreign_tags: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the state.

        Args:
            state_dir: where the state is kept; ``None`` keeps it until ``stop`` only.
            aws: the AWS around the service.
            workteams: ARNs of work teams (private or vendor) that are there from the start.
            team_size: how many local members a work team gets.
            quotas: of objects in a job, and of jobs that live at once.
            pace: how long the service takes its time.
            foreign_tags: tags that other tools put on each new job.
            clock: seconds since 1970; tests move it by hand.
        """
        self.store = self._store = Store(state_dir)
        """What the portal keeps lies beside it."""
        self._jobs = JobBook(self._store)
        self.clock = clock = Clock(self._store, clock)
        """The time of tasks, objects and jobs."""
        self._clock = clock
        self.teams = TeamBook(self._store, size=team_size)
        self.queue = TaskQueue(self._store, self._jobs, self.teams, clock)
        self._aws = aws
        quotas = quotas or Quotas()
        self._cors = Cors(aws)
        self._engine = Engine(
            store=self._store,
            jobs=self._jobs,
            teams=self.teams,
            queue=self.queue,
            aws=aws,
            clock=clock,
            pace=pace or Pace(),
            quotas=quotas,
        )
        self._takers: list[Callable[[Orders], None]] = []
        self._operations = self._bind(quotas, foreign_tags or {})
        for arn in workteams:
            self.add_workteam(arn)

    def _bind(
        self, quotas: Quotas, foreign_tags: Mapping[str, str]
    ) -> dict[str, Callable[[Call], dict[str, Any]]]:
        jobs = LabelingJobOperations(
            jobs=self._jobs,
            teams=self.teams,
            engine=self._engine,
            clock=self._clock,
            max_live_jobs=quotas.jobs,
            can_assume=self._can_assume,
            foreign_tags=foreign_tags,
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
            ADVANCE: self._advance_clock,
            ORDER: self._order,
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

    def _advance_clock(self, call: Call) -> dict[str, Any]:
        self.clock.advance(call.body.get("Seconds", 0))
        self.queue.notify()
        return self.clock.describe()

    def on_order(self, take: Callable[[Orders], None]) -> None:
        """Have whoever is around the service told of orders."""
        self._takers.append(take)

    @holds(ORDERED)
    def _order(self, call: Call) -> dict[str, Any]:
        try:
            orders = Orders.from_body(call.body)
        except ValueError as error:
            raise validation(ORDERED, str(error)) from error
        for take in self._takers:
            take(orders)
        self.queue.notify()
        return {}

    def _can_assume(self, role: str, region: str, account: str) -> bool:
        try:
            self._aws.session_for_role(role, region, account)
        except AssumeRoleDenied:
            return False
        return True

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
            if call.operation not in OPERATIONS:
                check_request(call.operation, call.body)
            return Answer(body=operation(call))
        except ServiceError as error:
            return Answer.error(error.code, error.message, status=error.status)
        except Exception:
            # An error of ours is answered as the service answers its own.
            _log.exception("answering %s", call.operation)
            message = "The request processing has failed because of an unknown error, exception or failure."
            return Answer.error("InternalFailure", message, status=500)

    def job(self, arn: str) -> Job | None:
        """Return a job by its ARN, with the request as it was received."""
        return self._jobs.get(arn)

    def counters(self, job: Job) -> dict[str, int]:
        """Return a job's `LabelCounters` as they stand."""
        return self._jobs.counters(job)

    def image(self, task: Task) -> bytes:
        """Return a task's picture, read with the job's role."""
        return self._role_s3(task).read(task.source, "image", limit=1 << 30)

    def picture_in_browser(self, task: Task) -> bytes:
        """Return a task's picture as a worker's browser gets it: by the bucket's CORS.

        Raises:
            JobFailure: the browser, or the role that signed the picture's address, may not read it.
        """
        return self._in_browser(task, task.source, "image")

    def earlier_label_in_browser(self, task: Task) -> tuple[list[str], Mask]:
        """Return the classes and the mask that the task is about, as a worker's browser gets them.

        Raises:
            JobFailure: the browser, or the role that signed the mask's address, may not read it.
            ObjectFailure: the object has no earlier label.
        """
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        line = json.dumps(task.line)
        png = self._in_browser(task, adjustment.earlier_mask(line, job.attribute), "earlier mask")
        names = adjustment.classes(line, job.attribute)
        return names, adjustment.decoded(line, job.attribute, png, names)[0]

    def _in_browser(self, task: Task, location: S3Location, what: str) -> bytes:
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        if not self._cors.allows(location.bucket, job.account, job.region):
            raise JobFailure(
                IN_THE_BROWSER, f"ClientError: The bucket {location.bucket} has no CORS rule for browsers."
            )
        return self._role_s3(task).read(location, what, limit=1 << 30)

    def page(self, task: Task) -> str:
        """Return a task's page: the job's template, rendered for the task's object."""
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        return render_task(job, task, self._role_s3(task), now=self._clock())

    def _role_s3(self, task: Task) -> RoleS3:
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        return self._engine.shared_role_s3(job)
