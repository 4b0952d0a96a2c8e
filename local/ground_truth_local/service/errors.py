"""What goes wrong, in the service's own words, and by which rule."""

from __future__ import annotations

import json

from ..sources import Rule, assumed, holds, model

FAILURE_REASON_MAX = 1024
"""``FailureReason`` is at most 1,024 characters in the service model."""

#: The text of an AWS service's own error.
SORRY = "InternalServerError: We encountered an internal error. Please try again."

_SHOWN = 120

FAILURE_REASON = Rule(
    "failure-reason-length",
    "`FailureReason` has at most 1,024 characters.",
    model("FailureReason"),
)
NOT_FOUND = Rule(
    "not-found",
    "A job or resource that doesn't exist is `ResourceNotFound`.",
    model("DescribeLabelingJob: ResourceNotFound"),
)
INTERNAL = Rule(
    "internal-error",
    "A failure inside the service begins with `InternalServerError`, one of its caller with `ClientError`.",
    assumed(
        "so begin those of training jobs (aws/sagemaker-python-sdk#35); of a labeling job nobody shows one"
    ),
)


class ServiceError(Exception):
    """An error answer of the API: ``__type`` and ``message`` of the JSON 1.1 protocol."""

    def __init__(self, rule: Rule, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.rule = rule
        self.code = code
        self.message = message
        self.status = status


class JobFailure(Exception):
    """The job can't go on; the text becomes its ``FailureReason``."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule

    @property
    @holds(FAILURE_REASON)
    def reason(self) -> str:
        """The text, cut to what ``FailureReason`` holds."""
        return str(self)[:FAILURE_REASON_MAX]


class ObjectFailure(Exception):
    """One data object can't be labeled; the text becomes its ``failure-reason``."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class TaskError(Exception):
    """A worker asked for something that a task or its answer doesn't allow."""


def validation(rule: Rule, message: str) -> ServiceError:
    """Return the error that every operation may answer with for a bad request."""
    return ServiceError(rule, "ValidationException", message)


def not_found(message: str) -> ServiceError:
    """Return the error for a job, work team or other resource that doesn't exist."""
    return ServiceError(NOT_FOUND, "ResourceNotFound", message)


def shown(value: object) -> str:
    """Show a value of a file in a message: as JSON, cut short; a reason never shows Python's own forms."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
