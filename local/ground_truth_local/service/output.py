"""What a job writes, where "Output Data" says that it lies.

Names with a colon and times to the second or microsecond are the service's own.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from ..sources import Rule, guide, holds
from .jobs import Job
from .rules import S3Location
from .s3 import RoleS3
from .store import Store
from .teams import TeamBook

_PAGE = "sms-data-output"
LAYOUT = Rule(
    "output-layout",
    "Masks, worker responses, consolidation files and manifests lie where the guide's tree shows them.",
    guide(f"{_PAGE}, output directories"),
)
TIMES = Rule(
    "output-times",
    "Names and dates carry the time in the forms of the guide's samples, with colons.",
    guide(f"{_PAGE}, samples"),
)
RESPONSE = Rule(
    "worker-response",
    "A worker response has acceptance and submission time, seconds spent, worker id and identity.",
    guide(f"{_PAGE}, Worker Metadata"),
)
UNCHANGED = Rule(
    "unlabeled-line", "An object without a label appears as its input line, unchanged.", guide(_PAGE)
)
ALL_LINES = Rule(
    "output-manifest-lines",
    "The output manifest has all lines of the input in their order, also when a job was stopped or failed.",
    guide(
        f"{_PAGE}: intermediate files have a line for each of the manifest; sms-reusing-data: the output of "
        "stopped and failed jobs is chained"
    ),
)

_SPOOL_BYTES = 8 * 1024 * 1024
_ROWS = 200


@holds(TIMES)
def creation_date(when: float) -> str:
    """Return a time as the output manifest writes it, e.g. ``2026-11-23T08:00:00.123456``."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _file_time(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d_%H:%M:%S")


def _worker_time(when: float) -> str:
    return (
        datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(when * 1000) % 1000:03d}Z"
    )


@holds(LAYOUT)
class OutputWriter:
    """Writes a job's files with the job's role and key."""

    def __init__(self, store: Store, teams: TeamBook, s3: RoleS3, clock: Callable[[], float]) -> None:
        self._store = store
        self._teams = teams
        self._s3 = s3
        self._clock = clock
        self._last_chunk_second = 0

    def _write(self, job: Job, location: S3Location, body: bytes | IO[bytes], what: str, kind: str) -> None:
        self._s3.write(location, body, what, kms_key=job.kms_key, content_type=kind)

    def mask(self, job: Job, index: int, png: bytes, when: float) -> S3Location:
        """Write a consolidated mask; return where."""
        name = f"{index}_{creation_date(when)}.png"
        location = job.output.join("annotations", "consolidated-annotation", "output", name)
        self._write(job, location, png, "consolidated mask", "image/png")
        return location

    def worker_response(
        self, job: Job, index: int, iteration: int, tasks: Sequence[sqlite3.Row]
    ) -> S3Location:
        """Write the answers of all workers for an object."""
        answers = [self._answer(job, task) for task in tasks]
        location = job.output.join(
            "annotations",
            "worker-response",
            f"iteration-{iteration}",
            str(index),
            f"{_file_time(self._clock())}.json",
        )
        self._write(job, location, _json({"answers": answers}), "worker response", "application/json")
        return location

    @holds(RESPONSE)
    def _answer(self, job: Job, task: sqlite3.Row) -> dict[str, Any]:
        member = self._teams.member(job.team, task["worker"])
        issuer = f"https://cognito-idp.{job.region}.amazonaws.com/{self._teams.user_pool(job.team)}"
        identity = {
            "identityProviderType": "Cognito",
            "issuer": issuer,
            "sub": member.subject if member else "",
        }
        return {
            "acceptanceTime": _worker_time(task["accepted"]),
            "answerContent": json.loads(task["answer"]),
            "submissionTime": _worker_time(task["submitted"]),
            "timeSpentInSeconds": round(task["seconds"], 3),
            "workerId": task["worker"],
            "workerMetadata": {"identityData": identity},
        }

    def chunk_name(self) -> str:
        """Return a file name for a group of consolidated objects: a second that no earlier one has."""
        second = max(int(self._clock()), self._last_chunk_second + 1)
        self._last_chunk_second = second
        return f"{_file_time(second)}.json"

    def consolidation(
        self, job: Job, kind: str, iteration: int, name: str, entries: Sequence[dict[str, Any]]
    ) -> None:
        """Write what went into (``request``) or came out of (``response``) the consolidation function."""
        location = job.output.join(
            "annotations", "consolidated-annotation", f"consolidation-{kind}", f"iteration-{iteration}", name
        )
        self._write(job, location, _json(list(entries)), f"consolidation {kind}", "application/json")

    def batch_manifest(self, job: Job, iteration: int) -> None:
        """Write ``annotations/intermediate``: the current batch with the labels there are."""
        location = job.output.join("annotations", "intermediate", str(iteration), "annotations.manifest")
        self._manifest(job, location, "intermediate manifest", "AND iteration = ?", iteration)

    def dataset_manifest(self, job: Job, iteration: int) -> None:
        """Write ``manifests/intermediate``: the whole dataset as it stands after a batch."""
        location = job.output.join("manifests", "intermediate", str(iteration), "output.manifest")
        self._manifest(job, location, "intermediate manifest")

    @holds(ALL_LINES)
    def output_manifest(self, job: Job) -> None:
        """Write the output manifest: each input line, with its label where there is one."""
        self._manifest(job, job.output_manifest, "output manifest")

    def _manifest(
        self, job: Job, location: S3Location, what: str, clause: str = "", *parameters: object
    ) -> None:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as file:
            for line in self._lines(job, clause, parameters):
                file.write(line.encode() + b"\n")
            file.seek(0)
            self._write(job, location, file, what, "application/jsonlines")

    def _lines(self, job: Job, clause: str, parameters: Sequence[object]) -> Iterable[str]:
        last = -1
        while True:
            rows = self._store.rows(
                f"SELECT idx, line, result FROM objects WHERE job = ? AND idx > ? {clause}"
                f" ORDER BY idx LIMIT {_ROWS}",
                job.arn, last, *parameters,
            )  # fmt: skip
            yield from (_labeled_line(row["line"], row["result"]) for row in rows)
            if len(rows) < _ROWS:
                return
            last = rows[-1]["idx"]


@holds(UNCHANGED)
def _labeled_line(line: str, result: str | None) -> str:
    # An object without a label appears as its input line, unchanged to the byte.
    return line if result is None else json.dumps(json.loads(line) | json.loads(result), ensure_ascii=False)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
