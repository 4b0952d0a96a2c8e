"""Which jobs are one custom resource's own: found by name, proved by tags, told apart by fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from . import log
from .contract import TAG_FINGERPRINT, TAG_FOLLOWER, TAG_LOGICAL_ID, TAG_REQUEST, TAG_STACK, TAG_SUCCESSOR
from .event import Event
from .jobs import Jobs

_RELEASED = "released"


class Claim(NamedTuple):
    """What the tags of one of the resource's jobs say."""

    #: This very request made it.
    of_request: bool
    #: It was made of just these properties.
    as_wanted: bool
    #: It was given up: nobody takes it up again or stops it.
    released: bool


class Owned:
    """The jobs of one event's custom resource."""

    def __init__(self, jobs: Jobs, event: Event) -> None:
        self._jobs = jobs
        self._marker = resource_marker(event.stack_id, event.logical_id)
        self.tags = {
            TAG_STACK: event.stack_id,
            TAG_LOGICAL_ID: event.logical_id,
            TAG_REQUEST: event.request_id,
            TAG_FINGERPRINT: fingerprint(event.properties),
        }

    def claim(self, job: Mapping[str, Any]) -> Claim | None:
        """What the resource has of the job; None if it is somebody else's."""
        tags = self._jobs.tags(job["LabelingJobArn"])
        same = {key for key, value in self.tags.items() if tags.get(key) == value}
        if not same >= {TAG_STACK, TAG_LOGICAL_ID}:
            return None
        return Claim(TAG_REQUEST in same, TAG_FINGERPRINT in same, tags.get(TAG_FINGERPRINT) == _RELEASED)

    def others(
        self, name: str, statuses: Collection[str], *, as_wanted: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The resource's further jobs in one of the statuses, newest first; released ones are not its own."""
        for job in self._jobs.named_like(self._marker):
            if job["LabelingJobStatus"] not in statuses or job["LabelingJobName"] == name:
                continue
            claim = self.claim(job)
            if claim and not claim.released and (claim.as_wanted or not as_wanted):
                yield job

    def with_followers(self, job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """A job, and those that went on from its labels: what a rollback took away has labels, too.

        Each was refused unless its labels mean what its predecessor's do, so they all mean the same.
        """
        found = [job]
        while True:
            tags = self._jobs.tags(found[-1]["LabelingJobArn"])
            name = tags.get(TAG_SUCCESSOR) or tags.get(TAG_FOLLOWER)
            again = name in (each["LabelingJobName"] for each in found)
            follower = self._jobs.describe(name) if name is not None and not again else None
            if follower is None or not self.claim(follower):
                return found
            found.append(follower)

    def release(self, job: Mapping[str, Any]) -> None:
        """Give the job up."""
        self._jobs.tag(job["LabelingJobArn"], {TAG_FINGERPRINT: _RELEASED})
        log.action("Release", job=job["LabelingJobName"])


def resource_marker(stack_id: str, logical_id: str) -> str:
    """The middle of the names of all jobs that one custom resource ever made."""
    return _short(f"{stack_id}\n{logical_id}")


def job_name(prefix: str, *, stack_id: str, logical_id: str, request_id: str) -> str:
    """The job's name for one CloudFormation request.

    A retried event carries the same request id and so meets its own job; every other operation gets a
    name that was never used. Names are case-insensitive in the service and in lower case here.
    """
    return f"{prefix}-{resource_marker(stack_id, logical_id)}-{_short(request_id)}".lower()


def fingerprint(properties: Mapping[str, Any]) -> str:
    """Hash of what makes a job what it is: not its tags, nor where a file of equal meaning is published."""
    identity = {key: properties.get(key) for key in ("JobNamePrefix", "Images", "Request", "Identity")}
    meaning, request = identity["Identity"], identity["Request"]
    if isinstance(meaning, Mapping) and isinstance(request, Mapping):
        identity["Request"] = _without_published(request, meaning)
        identity["Images"] = _without_bucket(identity["Images"])
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


def _without_published(request: Mapping[str, Any], meaning: Mapping[str, Any]) -> dict[str, Any]:
    """The request without the places of the files whose content the identity has."""
    kept = {key: value for key, value in request.items() if key != "LabelCategoryConfigS3Uri"}
    kept["HumanTaskConfig"] = {
        key: value for key, value in request.get("HumanTaskConfig", {}).items() if key != "UiConfig"
    }
    if "Manifest" in meaning:
        config = dict(request.get("InputConfig", {}))
        sources = config.get("DataSource", {})
        config["DataSource"] = {key: value for key, value in sources.items() if key != "S3DataSource"}
        kept["InputConfig"] = config
    return kept


def _without_bucket(images: Any) -> Any:
    """An archive is named by its content; its bucket is that of whatever bootstrap the app has."""
    if not isinstance(images, Mapping):
        return images
    found = {key: _without_bucket(value) for key, value in images.items()}
    if "ArchiveS3Uri" in found:
        found["ArchiveS3Uri"] = str(found["ArchiveS3Uri"]).rpartition("/")[2]
    return found


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
