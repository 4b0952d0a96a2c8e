"""One custom-resource event, read once: CloudFormation's reference names the fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """What CloudFormation asks for.

    Attributes:
        request_type: `Create`, `Update` or `Delete`.
        request_id: the same when the Lambda service delivers the event again, new for each operation.
        stack_id: the stack's ARN, which a stack that is made anew doesn't have again.
        logical_id: the resource's in its template.
        response_url: where the answer goes; whoever has it can answer, so it is never logged.
        properties: the resource's, unparsed.
        old_properties: those before an update.
        physical_id: the job that the stack has; None at a create.
    """

    request_type: str
    request_id: str
    stack_id: str
    logical_id: str
    response_url: str = field(repr=False)
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]
    physical_id: str | None

    @property
    def current_id(self) -> str:
        """The physical id, which an update and a delete have."""
        if self.physical_id is None:
            raise ValueError(f"a {self.request_type} has no PhysicalResourceId")
        return self.physical_id

    @property
    def issued(self) -> datetime | None:
        """When CloudFormation issued the event: the presigned URL says when it was signed."""
        return issued_at(self.response_url)


def read(event: Mapping[str, Any]) -> Event:
    """Take an event apart."""
    physical_id = event.get("PhysicalResourceId")
    return Event(
        request_type=event["RequestType"],
        request_id=event["RequestId"],
        stack_id=event["StackId"],
        logical_id=event["LogicalResourceId"],
        response_url=event["ResponseURL"],
        properties=event.get("ResourceProperties", {}),
        old_properties=event.get("OldResourceProperties", {}),
        physical_id=None if physical_id is None else str(physical_id),
    )


def issued_at(url: str) -> datetime | None:
    """When a presigned URL was signed; None where it doesn't say."""
    match = re.search(r"[?&]X-Amz-Date=(\d{8}T\d{6})Z(?:&|$)", url)
    return datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if match else None
