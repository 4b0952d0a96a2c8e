"""What a job tells the world besides its output: events, metrics and logs.

What workers do is written into the store with the doing, and sent from there: a server that dies in between
sends it later, perhaps twice, and never not at all.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..sources import Rule, assumed, guide, holds, observed, reference
from .errors import JobFailure
from .jobs import Job, JobBook
from .s3 import RoleS3
from .store import Store
from .teams import TeamBook
from .types import AwsAccess

STATE_EVENT = Rule(
    "event-state-change",
    "`SageMaker Ground Truth Labeling Job State Change` is sent when a job has ended.",
    guide("sms-monitor-cloud-watch"),
)
TASK_EVENT = Rule(
    "event-task-status",
    "`SageMaker Ground Truth Labeling Job Task Status Change` has `State`, `labeling-job-arn` and "
    "`workteam-team-arn`.",
    reference("EventBridge events reference: Amazon SageMaker AI events; guide, sms-monitor-cloud-watch"),
)
TASK_STATES = Rule(
    "event-task-states",
    "`State` is `Accepted`, `Submitted`, `Returned` or `Declined`.",
    assumed(
        "the guide names these four acts; neither it nor the event's schema in the CDK prints the values"
    ),
)
OBJECT_METRICS = Rule(
    "metrics-objects",
    "Dataset-object metrics and `JobsSucceeded` are in `AWS/Sagemaker/LabelingJobs` (lower-case m), "
    "`JobsFailed` and `JobsStopped` in `AWS/SageMaker`.",
    observed("namespaces and metric names of Datadog's and Dynatrace's integrations"),
)
WORKER_METRICS = Rule(
    "metrics-workers",
    "Worker metrics: `AWS/SageMaker/Workteam`, by `CognitoUserPool`, `LabelingJob`, `WorkerId` (the sub).",
    observed("a public dashboard script's SEARCH over the four-part schema"),
)
LOGS = Rule(
    "log-groups",
    "`/aws/sagemaker/LabelingJobs` has a stream for each job, `/aws/sagemaker/groundtruth/WorkerActivity` a "
    "line for each act of a worker.",
    guide("logging-cloudwatch; workteam-private-tracking"),
)
QUIET = Rule(
    "telemetry-denied",
    "A role that may not write metrics or logs has none; the job goes on.",
    assumed("nobody reports a job that failed of it"),
)

JOB_LOG = "/aws/sagemaker/LabelingJobs"
ACTIVITY_LOG = "/aws/sagemaker/groundtruth/WorkerActivity"
OBJECT_NAMESPACE = "AWS/Sagemaker/LabelingJobs"
JOB_NAMESPACE = "AWS/SageMaker"
WORKER_NAMESPACE = "AWS/SageMaker/Workteam"
_SOURCE = "aws.sagemaker"
#: Acts that are told at once: a datum has at most 150 values.
_ROWS = 150
#: What a role may not, a service refuses, or a connection loses.
_REFUSALS = (BotoCoreError, ClientError, JobFailure)
_MOST_METRICS = 500  # of one PutMetricData are 1,000
_log = logging.getLogger(__name__)


def _log_time(when: float) -> str:
    """The form of the published log lines, e.g. ``Wed Aug 14 16:00:59 UTC 2019``."""
    return datetime.fromtimestamp(when, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")


class Telemetry:
    """Events, metrics and logs of one job."""

    def __init__(
        self,
        job: Job,
        *,
        store: Store,
        jobs: JobBook,
        teams: TeamBook,
        clients: RoleS3,
        aws: AwsAccess,
        clock: Callable[[], float],
        every: float,
    ) -> None:
        self._job = job
        self._store = store
        self._jobs = jobs
        self._teams = teams
        self._clients = clients
        self._aws = aws
        self._clock = clock
        self._every = every
        self._next = 0.0
        self._counters: dict[str, int] = {}
        self._streams: set[str] = set()

    def flush(self, *, now: bool = False) -> None:
        """Send what has happened since; at most once in a while, unless it is the job's end."""
        if not now and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every
        while rows := self._store.rows(
            f"SELECT * FROM activity WHERE job = ? ORDER BY id LIMIT {_ROWS}", self._job.arn
        ):
            acts = [self._act(dict(row)) for row in rows]
            for act in acts:
                self._task_event(act)
            self._write_log(ACTIVITY_LOG, [(act["at"], json.dumps(self._activity(act))) for act in acts])
            self._put_metrics(WORKER_NAMESPACE, self._worker_metrics(acts))
            self._store.execute(
                "DELETE FROM activity WHERE job = ? AND id <= ?", self._job.arn, rows[-1]["id"]
            )
        self._object_metrics()

    def _act(self, row: dict[str, Any]) -> dict[str, Any]:
        member = self._teams.member(self._job.team, row["worker"])
        return row | {"sub": member.subject if member else ""}

    @holds(TASK_EVENT, TASK_STATES)
    def _task_event(self, act: dict[str, Any]) -> None:
        self._event(
            "SageMaker Ground Truth Labeling Job Task Status Change",
            {
                "State": act["kind"],
                "labeling-job-arn": self._job.arn,
                "workteam-team-arn": self._job.team,
            },
        )

    def _event(self, detail_type: str, detail: dict[str, Any]) -> None:
        try:
            self._aws.put_event(
                source=_SOURCE,
                detail_type=detail_type,
                detail=detail,
                resources=[self._job.arn],
                account=self._job.account,
                region=self._job.region,
            )
        except Exception:
            # The event is delivered before this returns: whatever a rule's target raises, the job goes on.
            _log.exception("the event %s of %s", detail_type, self._job.arn)

    @holds(STATE_EVENT)
    def ended(self, status: str) -> None:
        """Tell that the job has ended."""
        name, namespace = {
            "Completed": ("JobsSucceeded", OBJECT_NAMESPACE),
            "Failed": ("JobsFailed", JOB_NAMESPACE),
            "Stopped": ("JobsStopped", JOB_NAMESPACE),
        }[status]
        reason = f": {self._job.failure_reason}" if self._job.failure_reason else ""
        self._write_log(JOB_LOG, [(self._clock(), f"The labeling job is {status}{reason}")])
        self._put_metrics(namespace, [self._metric(name, 1.0, {})])
        self.flush(now=True)
        # Last, so that who hears of the end finds all else told.
        self._event("SageMaker Ground Truth Labeling Job State Change", {"LabelingJobStatus": status})

    def _activity(self, act: dict[str, Any]) -> dict[str, Any]:
        times = {"task_accepted_time": _log_time(act["accepted"])}
        if act["kind"] != "Accepted":
            times[f"task_{act['kind'].lower()}_time"] = _log_time(act["at"])
        return {
            "worker_id": act["worker"],
            "cognito_user_pool_id": self._teams.user_pool(self._job.team),
            "cognito_sub_id": act["sub"],
            **times,
            "workteam_arn": self._job.team,
            "labeling_job_arn": self._job.arn,
            "work_requester_account_id": self._job.account,
            "job_reference_code": self._job.reference_code,
            "job_type": "Private",
            "event_type": f"Tasks{act['kind']}",
            "event_timestamp": str(int(act["at"])),
        }

    @holds(WORKER_METRICS)
    def _worker_metrics(self, acts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The metrics of some acts, those of one name and worker in one datum."""
        found: dict[tuple[str, str], Counter[float]] = defaultdict(Counter)
        for act in acts:
            values = {f"Tasks{act['kind']}": 1.0}
            if act["kind"] != "Accepted":
                values["ActiveWorkers"] = 1.0
            if act["kind"] == "Submitted":
                values["TimeSpent"] = act["at"] - act["accepted"]
            for name, value in values.items():
                found[name, act["sub"]][value] += 1
        pool = self._teams.user_pool(self._job.team)
        data = []
        for (name, sub), values_of in found.items():
            dimensions = {"CognitoUserPool": pool, "LabelingJob": self._job.name, "WorkerId": sub}
            counts = [float(count) for count in values_of.values()]
            data.append({**self._datum(name, dimensions), "Values": list(values_of), "Counts": counts})
        return data

    @holds(OBJECT_METRICS)
    def _object_metrics(self) -> None:
        counters = self._jobs.counters(self._job)
        if not self._job.loaded or counters == self._counters:
            return
        self._counters = counters
        names = {
            "DatasetObjectsHumanAnnotated": "HumanLabeled",
            "DatasetObjectsAutoAnnotated": "MachineLabeled",
            "DatasetObjectsLabelingFailed": "FailedNonRetryableError",
            "TotalDatasetObjectsLabeled": "TotalLabeled",
        }
        dimensions = {"LabelingJobName": self._job.name}
        self._put_metrics(
            OBJECT_NAMESPACE,
            [self._metric(name, counters[counter], dimensions) for name, counter in names.items()],
        )

    def _metric(self, name: str, value: float, dimensions: dict[str, str]) -> dict[str, Any]:
        return {**self._datum(name, dimensions), "Value": float(value)}

    def _datum(self, name: str, dimensions: dict[str, str]) -> dict[str, Any]:
        return {
            "MetricName": name,
            "Timestamp": datetime.fromtimestamp(self._clock(), UTC),
            "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items() if text],
        }

    @holds(QUIET)
    def _put_metrics(self, namespace: str, metrics: list[dict[str, Any]]) -> None:
        try:
            for start in range(0, len(metrics), _MOST_METRICS):
                data = metrics[start : start + _MOST_METRICS]
                self._clients.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)
        except _REFUSALS as error:
            # No job that people work for may fail for its metrics.
            _log.info("metrics of %s: %s", self._job.arn, error)

    @holds(LOGS, QUIET)
    def _write_log(self, group: str, lines: list[tuple[float, str]]) -> None:
        if not lines:
            return
        try:
            client = self._clients.client("logs")
            stream = self._job.name
            if group not in self._streams:
                for make, names in (
                    (client.create_log_group, {"logGroupName": group}),
                    (client.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
                ):
                    _make(make, names)
                self._streams.add(group)
            events = [{"timestamp": int(when * 1000), "message": text} for when, text in lines]
            client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except _REFUSALS as error:
            # No job that people work for may fail for its log.
            _log.info("the log %s of %s: %s", group, self._job.arn, error)


def _make(make: Callable[..., Any], names: dict[str, str]) -> None:
    try:
        make(**names)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceAlreadyExistsException":
            raise
