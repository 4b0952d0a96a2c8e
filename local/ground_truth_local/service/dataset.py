"""The data objects of one job, by the state they are in.

``pending`` → ``batch`` (of the current iteration) → ``open`` (workers may take it) → ``ready`` (all answers
are in) → ``labeled`` or ``failed``; ``passed`` objects came in with a label.
"""

from __future__ import annotations

import json
import math
import sqlite3

from ..sources import Rule, assumed, guide, holds, model
from .jobs import Job, JobBook
from .store import Store

EXPIRY = Rule(
    "object-expiry",
    "An object expires when `TaskAvailabilityLifetimeInSeconds` is over, or when as many workers as it "
    "wants have declined it; it then goes to nobody else.",
    guide("sms-monitor-cloud-watch, Declining Tasks; sms-custom-templates-step3-lambda-requirements"),
)
PARTIAL = Rule(
    "partial-answers",
    "An object that expires with some of its answers is consolidated from these.",
    assumed(
        "the guide's sms-batching said in 2023 that one worker is enough for a label and says now that as "
        "many as were asked for must label it; that no worker means failed, another page says"
    ),
)
EXPIRED_FAILS = Rule(
    "expired-fails",
    "An object that expires without any answer counts as `FailedNonRetryableError`.",
    guide(
        "sms-custom-templates-step3-lambda-requirements: without a worker until the lifetime's end it is "
        "marked as failed; 'complete with labeling errors' in the console, amazon-sagemaker-examples#2928"
    ),
)
CONDITIONS = Rule(
    "stopping-conditions",
    "A stopping condition that is met stops the job.",
    model("LabelingJobStoppingConditions"),
)

_SLICE = 20  # objects opened before the runner looks around again
_CHUNK = 50  # objects of one consolidation request
_CHUNK_CHARACTERS = 16 * 1024 * 1024  # of answers in one consolidation request


class Dataset:
    """What the runner asks and tells about its job's objects."""

    def __init__(self, job: Job, store: Store, jobs: JobBook) -> None:
        self._job = job
        self._store = store
        self._jobs = jobs

    def count(self, *states: str) -> int:
        """Return how many objects are in one of the states."""
        marks = ", ".join("?" * len(states))
        row = self._store.row(
            f"SELECT COUNT(*) AS n FROM objects WHERE job = ? AND state IN ({marks})", self._job.arn, *states
        )
        return int(row["n"]) if row else 0

    def to_open(self) -> list[sqlite3.Row]:
        """Return the first few objects of the batch that no worker was shown yet."""
        return self._first("batch", _SLICE)

    def _first(self, state: str, most: int) -> list[sqlite3.Row]:
        return self._store.rows(
            "SELECT * FROM objects WHERE job = ? AND state = ? ORDER BY idx LIMIT ?",
            self._job.arn, state, most,
        )  # fmt: skip

    def chunk_is_full(self) -> bool:
        """Tell whether one consolidation request can't hold more objects than are answered."""
        return self.count("ready") >= _CHUNK

    def ready(self) -> list[sqlite3.Row]:
        """Return as many answered objects as one consolidation request may hold in memory, at least one."""
        chosen: list[sqlite3.Row] = []
        size = 0
        for row in self._first("ready", _CHUNK):
            size += self._answer_characters(row["idx"])
            if chosen and size > _CHUNK_CHARACTERS:
                break
            chosen.append(row)
        return chosen

    def _answer_characters(self, index: int) -> int:
        row = self._store.row(
            "SELECT SUM(LENGTH(answer)) AS n FROM tasks WHERE job = ? AND idx = ? AND state = 'submitted'",
            self._job.arn, index,
        )  # fmt: skip
        return int(row["n"] or 0) if row else 0

    def partly_answered(self) -> list[sqlite3.Row]:
        """Return the objects that have answers, but lack others."""
        return self._store.rows(
            "SELECT idx, iteration FROM objects WHERE job = ? AND state = 'open' AND answered > 0",
            self._job.arn,
        )

    def assign(self, iteration: int, size: int) -> None:
        """Put the next ``size`` objects into the batch of an iteration."""
        self._store.execute(
            "UPDATE objects SET state = 'batch', iteration = ? WHERE job = ? AND idx IN"
            " (SELECT idx FROM objects WHERE job = ? AND state = 'pending' ORDER BY idx LIMIT ?)",
            iteration, self._job.arn, self._job.arn, size,
        )  # fmt: skip

    @holds(EXPIRY, PARTIAL, EXPIRED_FAILS)
    def expire(self, now: float) -> list[int]:
        """Close objects whose time is over or that were declined too often; return those without any answer.

        Who has one of them in hand may still answer; the others are consolidated from the answers there are.
        """
        limit = now - self._job.task["TaskAvailabilityLifetimeInSeconds"]
        over = "job = ? AND state = 'open' AND (opened < ? OR declined >= ?) AND taken <= answered"
        parameters = (self._job.arn, limit, self._job.workers_per_object)
        with self._store.transaction():
            self._store.execute(
                f"UPDATE objects SET state = 'ready' WHERE {over} AND answered > 0", *parameters
            )
            return [
                row["idx"] for row in self._store.rows(f"SELECT idx FROM objects WHERE {over}", *parameters)
            ]

    def nothing_opened(self, iteration: int) -> bool:
        """Tell whether no object of a batch could be shown to anybody."""
        row = self._store.row(
            "SELECT COUNT(*) AS n, COUNT(opened) AS shown FROM objects WHERE job = ? AND iteration = ?",
            self._job.arn, iteration,
        )  # fmt: skip
        return row is not None and row["n"] > 0 and row["shown"] == 0

    def failed_share(self, iteration: int) -> float:
        """Return the share of a batch's objects that failed, 0 to 1."""
        row = self._store.row(
            "SELECT AVG(state = 'failed') AS share FROM objects WHERE job = ? AND iteration = ?",
            self._job.arn, iteration,
        )  # fmt: skip
        return float(row["share"] or 0.0) if row else 0.0

    @holds(CONDITIONS)
    def allowed(self) -> int:
        """Return how many more objects the stopping conditions let humans label."""
        conditions = self._job.request.get("StoppingConditions") or {}
        allowed = self.count("pending")
        if (most := conditions.get("MaxHumanLabeledObjectCount")) is not None:
            allowed = min(allowed, most - self.count("labeled"))
        if (percentage := conditions.get("MaxPercentageOfInputDatasetLabeled")) is not None:
            counters = self._jobs.counters(self._job)
            labeled = counters["TotalLabeled"]
            total = labeled + counters["FailedNonRetryableError"] + counters["Unlabeled"]
            allowed = min(allowed, math.ceil(total * percentage / 100) - labeled)
        return allowed

    def first_failure(self, what: str) -> str:
        """Return a FailureReason that names the first object that failed, and why."""
        row = self._store.row(
            "SELECT idx, result FROM objects WHERE job = ? AND state = 'failed' ORDER BY idx LIMIT 1",
            self._job.arn,
        )
        if row is None:
            return f"ClientError: {what}."
        reason = json.loads(row["result"])[f"{self._job.attribute}-metadata"]["failure-reason"]
        return f"ClientError: {what}. Data object {row['idx']}: {reason}"
