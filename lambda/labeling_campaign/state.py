"""What a campaign keeps in the output bucket: its labels for all to read, and beside them what is going on.

    dataset.manifest        the newest label of each image, in the images' order
    unlabeled.jsonl         what was asked for and has no label, each with its reason
    state/campaign.json     what the app says
    state/lock.json         the execution that plans and gathers; of no other one's are jobs alive
    state/pending/RUN.json  the jobs of a run whose labels are not gathered yet
    state/tokens/JOB.json   who waits for a job's end
    state/refused/JOB.txt   why a job could not be made
    runs/RUN.json           the jobs of a run that is over

Each object is whole or not there. What two may write at once is written on a condition.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, Final

from labeling_job.bodies import Body
from labeling_job.campaign import DATASET, UNLABELED
from labeling_job.contract import split_s3_uri
from labeling_job.storage import Storage

_CAMPAIGN: Final = "state/campaign.json"
_LOCK: Final = "state/lock.json"
_PENDING: Final = "state/pending/"
_TOKENS: Final = "state/tokens/"
_REFUSED: Final = "state/refused/"
_RUNS: Final = "runs/"
_LINES: Final = "application/jsonlines"


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """One job of a run."""

    name: str
    #: Its input manifest, and how many images are in it.
    manifest: str
    images: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The jobs of one run."""

    run: str
    execution: str
    jobs: tuple[PlannedJob, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Plan:
        """From JSON."""
        jobs = tuple(PlannedJob(**job) for job in document["jobs"])
        return cls(run=document["run"], execution=document["execution"], jobs=jobs)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What is known of the labels so far.

    Attributes:
        labels: how many images have one.
        bought: how many labels were bought, with those of images that were replaced since.
        meaning: hash of what they say.
        runs: hash of the runs that were gathered last.
        by_uri: whether the lines are sorted by URI.
        etag: of the object; empty where there is none.
    """

    labels: int = 0
    bought: int = 0
    meaning: str = ""
    runs: str = ""
    by_uri: bool = True
    etag: str = ""


@dataclass(frozen=True, kw_only=True)
class Token:
    """Who waits for a job."""

    job: str
    token: str
    execution: str


class State:
    """A campaign's folder.

    Args:
        storage: S3.
        folder: its URI, with a slash at the end.
    """

    def __init__(self, storage: Storage, folder: str) -> None:
        self.storage = storage
        self._bucket, self._prefix = split_s3_uri(folder)

    def uri(self, name: str) -> str:
        """The URI of an object of the folder."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def settings(self) -> dict[str, Any] | None:
        """What the app says: stack, resource and properties; None before the first deploy."""
        return self._json(_CAMPAIGN)

    def keep_settings(self, settings: Mapping[str, Any]) -> None:
        """Keep what the app says."""
        self._put(_CAMPAIGN, json.dumps(settings).encode())

    def lock(self) -> tuple[str, str]:
        """The execution that has the campaign, and the lock's mark; empty where nobody ever had it."""
        body = self._open(_LOCK)
        if body is None:
            return "", ""
        return str(json.loads(_all(body))["execution"]), str(body.first_answer.get("ETag", ""))

    def take_lock(self, execution: str, mark: str) -> bool:
        """Have the campaign, if nobody took it since the lock had that mark."""
        return self._put_if(_LOCK, json.dumps({"execution": execution}).encode(), mark)

    def pending(self) -> list[Plan]:
        """The plans of runs that are not gathered yet, by name."""
        names = [key for key in self._keys(_PENDING) if key.endswith(".json")]
        found = (self._json(name) for name in names)
        return [Plan.of(each) for each in found if each is not None]

    def plan(self, run: str) -> Plan | None:
        """One of them."""
        found = self._json(f"{_PENDING}{run}.json")
        return None if found is None else Plan.of(found)

    def keep_plan(self, plan: Plan) -> bool:
        """Keep a run's plan, unless another planner of the same run was first."""
        return self._put_if(f"{_PENDING}{plan.run}.json", json.dumps(asdict(plan)).encode(), "")

    def close(self, plan: Plan, outcome: Mapping[str, Any]) -> None:
        """A run is over and gathered."""
        self._put(f"{_RUNS}{plan.run}.json", json.dumps({**asdict(plan), **outcome}).encode())
        for job in plan.jobs:
            self._delete(f"{_TOKENS}{job.name}.json")
        # This comes last: whoever dies before it gathers again, with the same result.
        self._delete(f"{_PENDING}{plan.run}.json")

    def outcome(self, run: str) -> dict[str, Any] | None:
        """What was gathered of a run that is over."""
        return self._json(f"{_RUNS}{run}.json")

    def keep_token(self, token: Token) -> None:
        """Keep who waits for a job."""
        self._put(f"{_TOKENS}{token.job}.json", json.dumps(asdict(token)).encode())

    def token(self, job: str) -> Token | None:
        """Who waits for a job; None where nobody does."""
        found = self._json(f"{_TOKENS}{job}.json")
        return None if found is None else Token(**found)

    def tokens(self) -> Iterable[Token]:
        """All who wait."""
        for name in self._keys(_TOKENS):
            found = self._json(name)
            if found is not None:
                yield Token(**found)

    def drop_token(self, job: str) -> None:
        """Nobody waits for the job any more."""
        self._delete(f"{_TOKENS}{job}.json")

    def refuse(self, job: str, reason: str) -> None:
        """Keep why a job could not be made."""
        self._put(f"{_REFUSED}{job}.txt", reason.encode())

    def refusal(self, job: str) -> str:
        """Why a job could not be made; empty where nobody said."""
        body = self._open(f"{_REFUSED}{job}.txt")
        return "" if body is None else _all(body).decode(errors="replace")

    def dataset(self) -> Dataset:
        """What is known of the labels so far."""
        bucket, key = self._place(DATASET)
        found = self.storage.head(bucket, key)
        if found is None:
            return Dataset()
        said = found.get("Metadata", {})
        return Dataset(
            labels=int(said.get("labels", 0)),
            bought=int(said.get("bought", 0)),
            meaning=said.get("meaning", ""),
            runs=said.get("runs", ""),
            by_uri=said.get("by-uri", "true") == "true",
            etag=found["ETag"],
        )

    def put_dataset(self, body: IO[bytes], dataset: Dataset, etag: str) -> bool:
        """Write the labels at once, if nobody wrote them since they had that ETag."""
        said = {
            "labels": str(dataset.labels),
            "bought": str(dataset.bought),
            "meaning": dataset.meaning,
            "runs": dataset.runs,
            "by-uri": str(dataset.by_uri).lower(),
        }
        return self._put_if(DATASET, body, etag, Metadata=said, ContentType=_LINES)

    def put_unlabeled(self, body: IO[bytes]) -> None:
        """Write what has no label."""
        bucket, key = self._place(UNLABELED)
        self.storage.put(bucket, key, body, content_type=_LINES)

    def _place(self, name: str) -> tuple[str, str]:
        return self._bucket, self._prefix + name

    def _keys(self, below: str) -> list[str]:
        listed = self.storage.objects(*self._place(below))
        return [key.removeprefix(self._prefix) for key, _ in listed]

    def _open(self, name: str) -> Body | None:
        return self.storage.opened(*self._place(name))

    def _json(self, name: str) -> dict[str, Any] | None:
        body = self._open(name)
        return None if body is None else dict(json.loads(_all(body)))

    def _put(self, name: str, body: bytes) -> None:
        bucket, key = self._place(name)
        self.storage.put(bucket, key, body, content_type="application/json")

    def _put_if(self, name: str, body: bytes | IO[bytes], etag: str, **more: Any) -> bool:
        """Write an object that still has the ETag, or a new one where that is empty."""
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        bucket, key = self._place(name)
        return self.storage.put_if(
            bucket, key, body, condition, **{"ContentType": "application/json", **more}
        )

    def _delete(self, name: str) -> None:
        self.storage.delete(*self._place(name))


def _all(body: Body) -> bytes:
    try:
        return body.read_all(1 << 24)
    finally:
        body.close()
