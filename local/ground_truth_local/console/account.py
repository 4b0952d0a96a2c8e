"""What the console reads of an account: SageMaker, S3, CloudFormation and logs, through their APIs alone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ground_truth_labels import Storage

T = TypeVar("T")
LIVE = ("Initializing", "InProgress", "Stopping")
_STACK_TAG = "cdk-ground-truth:stack-id"
_COST_TAG = "cdk-ground-truth:cost"
_MOST_JOBS = 200
_MOST_LOG_EVENTS = 500
_FRESH_SECONDS = 2.0


class AccountError(Exception):
    """The account refuses something, or lacks it; the text is the service's own."""


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A labeling job as `DescribeLabelingJob` tells it."""

    described: dict[str, Any]

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.described["LabelingJobName"])

    @property
    def status(self) -> str:
        """The service's own word."""
        return str(self.described["LabelingJobStatus"])

    @property
    def is_live(self) -> bool:
        """Whether it can still change, and be stopped."""
        return self.status in LIVE

    @property
    def counters(self) -> dict[str, int]:
        """`LabelCounters`."""
        return dict(self.described["LabelCounters"])

    @property
    def total(self) -> int:
        """All objects of the job."""
        counters = self.counters
        return sum(counters[name] for name in ("TotalLabeled", "FailedNonRetryableError", "Unlabeled"))

    @property
    def workers(self) -> int:
        """How many workers label an object."""
        return int(self.described["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"])

    @property
    def tags(self) -> dict[str, str]:
        """The job's tags."""
        return {tag["Key"]: tag["Value"] for tag in self.described.get("Tags", [])}

    @property
    def stack(self) -> str:
        """The CloudFormation stack that made it, if its tags say so."""
        return self.tags.get(_STACK_TAG, "")

    @property
    def estimate(self) -> str:
        """What the deploy estimated the whole job to cost, if prices were given."""
        return self.tags.get(_COST_TAG, "")

    @property
    def preflight_report(self) -> str:
        """Where a deploy writes what it found in the input, an S3 URI."""
        path = str(self.described["OutputConfig"]["S3OutputPath"]).rstrip("/")
        return f"{path}/preflight/{self.name}.json"

    @property
    def output(self) -> str:
        """The folder of the job's output, an S3 URI."""
        path = str(self.described["OutputConfig"]["S3OutputPath"]).rstrip("/")
        return f"{path}/{self.name}"


class Account:
    """One account and Region, seen with somebody's credentials.

    Args:
        session: whose credentials are used for everything.
        read_only: whether stopping a job is offered.
    """

    def __init__(self, session: boto3.Session, *, read_only: bool) -> None:
        self.read_only = read_only
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, ...], tuple[float, Any]] = {}

    @property
    def region(self) -> str:
        """The Region that is looked at."""
        return str(self._session.region_name or "")

    def client(self, service: str) -> Any:
        """Return a client; one a service, for all threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service)
            return self._clients[service]

    @property
    def storage(self) -> Storage:
        """The account's S3, for the label reader."""
        return Storage(client=self.client("s3"))

    def fresh(self, key: tuple[str, ...], read: Callable[[], T]) -> T:
        """Return something that was read a moment ago, or read it now."""
        now = time.monotonic()
        with self._lock:
            found = self._cache.get(key)
        if found is not None and now - found[0] < _FRESH_SECONDS:
            value: T = found[1]
            return value
        value = read()
        with self._lock:
            self._cache = {name: one for name, one in self._cache.items() if now - one[0] < _FRESH_SECONDS}
            self._cache[key] = (now, value)
        return value

    def jobs(self) -> list[JobView]:
        """Return the newest labeling jobs.

        Raises:
            AccountError: they can't be listed.
        """
        pages = self._pages("sagemaker", "list_labeling_jobs", SortBy="CreationTime", SortOrder="Descending")
        names: list[str] = []
        for page in pages:
            names += [job["LabelingJobName"] for job in page["LabelingJobSummaryList"]]
            if len(names) >= _MOST_JOBS:
                break
        return [self.job(name) for name in names[:_MOST_JOBS]]

    def job(self, name: str) -> JobView:
        """Return one job.

        Raises:
            AccountError: there is no such job, or it can't be described.
        """
        describe = self.client("sagemaker").describe_labeling_job
        return JobView(described=self.fresh(("job", name), lambda: _asked(describe, LabelingJobName=name)))

    def stop(self, name: str) -> None:
        """Stop a job.

        Raises:
            AccountError: the console is read-only, or the service refuses.
        """
        if self.read_only:
            raise AccountError("This console is read-only; it stops nothing.")
        _asked(self.client("sagemaker").stop_labeling_job, LabelingJobName=name)
        with self._lock:
            self._cache.clear()

    def names(self, uri: str) -> Iterator[str]:
        """Yield the names below an S3 URI.

        Raises:
            AccountError: it can't be listed.
        """
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        for page in self._pages("s3", "list_objects_v2", Bucket=bucket, Prefix=prefix):
            yield from (item["Key"].removeprefix(prefix) for item in page.get("Contents", []))

    def stack_events(self, job: JobView) -> list[dict[str, Any]]:
        """Return what CloudFormation said while the job's stack was deployed, newest first."""
        if not job.stack:
            return []
        pages = self._pages("cloudformation", "describe_stack_events", StackName=job.stack)
        return [event for page in pages for event in page["StackEvents"]][:100]

    def log(self, job: JobView) -> tuple[str, list[dict[str, Any]]]:
        """Return the handler's log group and what it logged, oldest first: JSON where it is JSON."""
        groups = self._log_groups(job)
        events: list[dict[str, Any]] = []
        for group in groups:
            for page in self._pages("logs", "filter_log_events", logGroupName=group):
                events += [_log_entry(event) for event in page.get("events", [])]
                if len(events) >= _MOST_LOG_EVENTS:
                    break
        return ", ".join(groups), sorted(events, key=lambda event: event["at"])[-_MOST_LOG_EVENTS:]

    def _log_groups(self, job: JobView) -> list[str]:
        """The log groups whose names have the stack's name in them, as CloudFormation makes them."""
        if not job.stack:
            return []
        stack = job.stack.partition(":stack/")[2].partition("/")[0]
        pages = self._pages("logs", "describe_log_groups")
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        return [name for name in names if stack and stack in name]

    def _pages(self, service: str, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        paginator = self.client(service).get_paginator(operation)
        try:
            yield from paginator.paginate(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise AccountError(str(error)) from error


def _asked(operation: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    try:
        return dict(operation(**arguments))
    except (ClientError, BotoCoreError) as error:
        raise AccountError(str(error)) from error


def _log_entry(event: dict[str, Any]) -> dict[str, Any]:
    text = str(event.get("message", "")).strip()
    entry = {"at": int(event.get("timestamp", 0)), "text": text, "action": ""}
    try:
        value = json.loads(text)
    except ValueError:
        return entry
    if isinstance(value, dict) and "action" in value:
        entry["action"] = str(value.pop("action"))
        entry["text"] = json.dumps(value, ensure_ascii=False, indent=1)
    return entry
