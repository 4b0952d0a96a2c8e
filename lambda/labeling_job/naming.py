"""Names and fingerprints: how a job is found again, and how a changed request is told from the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_DIGITS = 8


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
    """Hash of the properties that make a job what it is: all but the tags and CloudFormation's own."""
    identity = {key: properties.get(key) for key in ("JobNamePrefix", "Images", "Request")}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
