"""Labeling jobs as they are stored, and their counters."""

from __future__ import annotations

import copy
import json
import secrets
import string
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..sources import Rule, assumed, holds, model, observed
from .rules import S3Location, parse_s3_uri
from .store import Store

LIVE = ("Initializing", "InProgress", "Stopping")
ENDED = ("Completed", "Failed", "Stopped")

ARN_CASE = Rule(
    "job-arn-case",
    "A job's name is in lower case in its ARN.",
    assumed(
        "so it was for all jobs, but training jobs keep their case since 2022 "
        "(aws/sagemaker-experiments#172, boto/boto3#4606); of labeling jobs nobody tells"
    ),
)
REFERENCE_CODE = Rule(
    "reference-code",
    "`JobReferenceCode` is the account and 16 letters and digits.",
    observed("aws/amazon-sagemaker-examples#1945: 507354440914YHSw1jUyO0XYOgL2"),
)
COUNTERS = Rule(
    "counters",
    "Total is human plus machine.",
    model("LabelCounters"),
)
COUNTERS_AT_FIRST = Rule(
    "counters-at-first",
    "Until a job's data is loaded all its counters are 0, also those of a job in progress.",
    observed("aws/amazon-sagemaker-examples#1945"),
)
PASSED_COUNT = Rule(
    "counters-of-chained",
    "An object that came in labeled counts as such from the start, by its `human-annotated`, also for the "
    "percentage of a stopping condition.",
    assumed("its line is labeled in the output; LabelCounters of a chained job are shown by nobody"),
)

_REFERENCE_ALPHABET = string.ascii_letters + string.digits


@dataclass(kw_only=True)
class Job:
    """A labeling job: what was asked for and how it stands."""

    arn: str
    account: str
    region: str
    request: dict[str, Any]
    task_type: str
    reference_code: str
    status: str
    created: float
    modified: float
    failure_reason: str = ""
    labels: list[str] = field(default_factory=list)
    element: str = ""
    """Name of the worker template's segmentation element: the key of an answer."""
    iteration: int = 0
    loaded: bool = False
    """Whether the whole manifest is in the store."""
    output_written: bool = False

    def take_over(self, current: Job) -> None:
        """Become what `current`, the same job read later, is: all that hold this object then see it."""
        assert current.arn == self.arn, "another job"
        for one in fields(self):
            setattr(self, one.name, getattr(current, one.name))

    @property
    def name(self) -> str:
        """The name as it was given; names are compared without regard to case."""
        return str(self.request["LabelingJobName"])

    @property
    def attribute(self) -> str:
        """The label attribute name."""
        return str(self.request["LabelAttributeName"])

    @property
    def task(self) -> dict[str, Any]:
        """The request's ``HumanTaskConfig``, defaults filled in."""
        return dict(self.request["HumanTaskConfig"])

    @property
    def workers_per_object(self) -> int:
        """How many different workers label an object."""
        return int(self.task["NumberOfHumanWorkersPerDataObject"])

    @property
    def team(self) -> str:
        """The work team's ARN."""
        return str(self.task["WorkteamArn"])

    @property
    def role(self) -> str:
        """The execution role's ARN."""
        return str(self.request["RoleArn"])

    @property
    def kms_key(self) -> str | None:
        """The key that encrypts what the job writes, if one was given."""
        return self.request["OutputConfig"].get("KmsKeyId") or None

    @property
    def output(self) -> S3Location:
        """``S3OutputPath/<job name>``, under which all of the job's output lies."""
        location = parse_s3_uri(self.request["OutputConfig"]["S3OutputPath"])
        assert location is not None, "checked when the job was made"
        return location.join(self.name)

    @property
    def output_manifest(self) -> S3Location:
        """Where the output manifest lies or will lie."""
        return self.output.join("manifests", "output", "output.manifest")


@holds(ARN_CASE)
def job_arn(account: str, region: str, name: str) -> str:
    """Return the ARN of a job; SageMaker lower-cases names in ARNs, as they are case-insensitive."""
    return f"arn:aws:sagemaker:{region}:{account}:labeling-job/{name.lower()}"


@holds(REFERENCE_CODE)
def new_reference_code(account: str) -> str:
    """Return a JobReferenceCode: the account and sixteen random characters."""
    return account + "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(16))


class JobBook:
    """All jobs ever made; none is ever removed, so a name is never free again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, tuple[str, Job]] = {}

    def add(self, job: Job, tags: dict[str, str]) -> bool:
        """Keep a new job; ``False`` if its name is taken in this account and Region."""
        changed = self._store.execute(
            "INSERT OR IGNORE INTO resources (arn, kind, account, region, status, document, tags)"
            " VALUES (?, 'labeling-job', ?, ?, ?, ?, ?)",
            job.arn, job.account, job.region, job.status, json.dumps(asdict(job)), json.dumps(tags),
        )  # fmt: skip
        return changed == 1

    def get(self, arn: str) -> Job | None:
        """Return a job as it stands now."""
        row = self._store.row("SELECT document FROM resources WHERE arn = ? AND kind = 'labeling-job'", arn)
        return self._job(arn, row["document"]) if row else None

    def _job(self, arn: str, document: str) -> Job:
        """The job that a document holds; what was read last is not read again: each task asks several times.

        Whoever gets it may change its fields, and never what is within its request.
        """
        known = self._read.get(arn)
        if known is None or known[0] != document:
            known = self._read[arn] = (document, Job(**json.loads(document)))
        return copy.copy(known[1])

    def save(self, job: Job, *, only_if: tuple[str, ...] = LIVE) -> bool:
        """Write a job back, unless its stored status has become another than ``only_if`` meanwhile.

        A stop request may come in while the engine works; the engine must not overwrite it.
        """
        marks = ", ".join("?" * len(only_if))
        changed = self._store.execute(
            f"UPDATE resources SET status = ?, document = ? WHERE arn = ? AND status IN ({marks})",
            job.status, json.dumps(asdict(job)), job.arn, *only_if,
        )  # fmt: skip
        return changed == 1

    def with_status(self, statuses: tuple[str, ...]) -> list[Job]:
        """Return the jobs of all accounts in one of the statuses, oldest first."""
        marks = ", ".join("?" * len(statuses))
        rows = self._store.rows(
            f"SELECT arn, document FROM resources WHERE kind = 'labeling-job' AND status IN ({marks})"
            " ORDER BY rowid",
            *statuses,
        )
        return [self._job(row["arn"], row["document"]) for row in rows]

    def of(self, account: str, region: str) -> list[Job]:
        """Return an account's jobs in a Region, in the order they were made."""
        rows = self._store.rows(
            "SELECT arn, document FROM resources WHERE kind = 'labeling-job' AND account = ? AND region = ?"
            " ORDER BY rowid",
            account, region,
        )  # fmt: skip
        return [self._job(row["arn"], row["document"]) for row in rows]

    def tags(self, arn: str) -> dict[str, str] | None:
        """Return the tags of a job or work team, ``None`` if there is none of that ARN."""
        row = self._store.row("SELECT tags FROM resources WHERE arn = ?", arn)
        return dict(json.loads(row["tags"])) if row else None

    def set_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Replace the tags of a job or work team."""
        self._store.execute("UPDATE resources SET tags = ? WHERE arn = ?", json.dumps(tags), arn)

    def counters(self, job: Job) -> dict[str, int]:
        """Return the job's ``LabelCounters``, counted from its objects as they stand."""
        return self.counters_of([job])[job.arn]

    @holds(COUNTERS, COUNTERS_AT_FIRST, PASSED_COUNT)
    def counters_of(self, jobs: Sequence[Job]) -> dict[str, dict[str, int]]:
        """Return the ``LabelCounters`` of some jobs by ARN: a list of a hundred jobs asks once.

        An object that came in labeled counts by its ``human-annotated``, so total = human + machine always.
        """
        by_state: dict[str, dict[str, int]] = {job.arn: {} for job in jobs}
        loaded = [job.arn for job in jobs if job.loaded]
        for row in self._store.rows(
            f"SELECT job, state, COUNT(*) AS n FROM objects WHERE job IN ({', '.join('?' * len(loaded))})"
            " GROUP BY job, state",
            *loaded,
        ):
            by_state[row["job"]][row["state"]] = int(row["n"])
        return {arn: _counters(states) for arn, states in by_state.items()}


def _counters(by_state: dict[str, int]) -> dict[str, int]:
    human = by_state.pop("labeled", 0) + by_state.pop("passed", 0)
    machine = by_state.pop("passed-machine", 0)
    failed = by_state.pop("failed", 0)
    return {
        "TotalLabeled": human + machine,
        "HumanLabeled": human,
        "MachineLabeled": machine,
        "FailedNonRetryableError": failed,
        "Unlabeled": sum(by_state.values()),
    }
