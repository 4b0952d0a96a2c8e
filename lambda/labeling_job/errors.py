"""What a deploy fails with, in words for the person who runs it."""

from __future__ import annotations

from typing import Any

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)


class DeployError(Exception):
    """The deploy can't go on; the message goes to CloudFormation as the reason."""


class NotYetError(Exception):
    """This invocation is out of time, but the work goes on.

    It leaves the function unanswered on purpose: CloudFormation invokes it asynchronously, so the Lambda
    service delivers the same event again, and that run meets its own job.
    """


def code_of(error: Any) -> str:
    """The service's error code in a botocore ``ClientError``; empty for anything else."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def is_passing(error: Exception) -> bool:
    """Throttled, broken down or out of reach; never what the service says of the request itself."""
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    if "Error" in answer:
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in _THROTTLED or status >= 500
    from botocore.exceptions import ConnectionError as ConnectionFailed
    from botocore.exceptions import HTTPClientError

    return isinstance(error, ConnectionFailed | HTTPClientError)


def message_of(error: Any) -> str:
    """``Operation: Code: message`` as the service said it."""
    detail = getattr(error, "response", {}).get("Error", {})
    operation = getattr(error, "operation_name", type(error).__name__)
    return f"{operation}: {detail.get('Code', '')}: {detail.get('Message', error)}"


def said(error: Exception) -> str:
    """The error in one line: the service's words if it is the service's."""
    if isinstance(error, DeployError):
        return str(error)
    return message_of(error) if code_of(error) else f"{type(error).__name__}: {error}"
