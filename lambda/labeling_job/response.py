"""CloudFormation's side of the protocol: the answer that goes to the event's ResponseURL."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

# CloudFormation takes 4,096 bytes in all; names, ids and URIs need the rest.
_REASON_MAX = 1_500
_ATTEMPTS = 5


def answer(
    event: Mapping[str, Any],
    *,
    status: str,
    physical_id: str,
    reason: str = "",
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The answer's body; a long reason is cut, because an oversized answer is dropped whole."""
    text = reason.encode()[:_REASON_MAX].decode(errors="ignore")
    return {
        "Status": status,
        "Reason": text if len(text) == len(reason) else f"{text} … (cut)",
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data or {}),
    }


def issued_at(url: str) -> datetime | None:
    """When CloudFormation issued the event: the presigned URL says when it was signed."""
    match = re.search(r"[?&]X-Amz-Date=(\d{8}T\d{6})Z(?:&|$)", url)
    return datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if match else None


def send(url: str, body: Mapping[str, Any], *, sleep: Callable[[float], None] | None = None) -> None:
    """PUT the answer; an answer that is lost leaves the stack waiting, so it is tried again."""
    payload = json.dumps(body).encode()
    for attempt in range(1, _ATTEMPTS + 1):
        request = urllib.request.Request(url, data=payload, method="PUT", headers={"Content-Type": ""})
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except OSError:
            if attempt == _ATTEMPTS:
                raise
            (sleep or time.sleep)(2.0**attempt / 2)
