"""What goes wrong, in the service's own words."""

from __future__ import annotations

FAILURE_REASON_MAX = 1024
"""``FailureReason`` is at most 1,024 characters in the service model."""


class ServiceError(Exception):
    """An error answer of the API: ``__type`` and ``message`` of the JSON 1.1 protocol."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class JobFailure(Exception):
    """The job can't go on; the text becomes its ``FailureReason``."""

    @property
    def reason(self) -> str:
        """The text, cut to what ``FailureReason`` holds."""
        return str(self)[:FAILURE_REASON_MAX]


class ObjectFailure(Exception):
    """One data object can't be labeled; the text becomes its ``failure-reason``."""


class TaskError(Exception):
    """A worker asked for something that a task or its answer doesn't allow."""


def validation(message: str) -> ServiceError:
    """Return the error that every operation may answer with for a bad request."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """Return the error for a job, work team or other resource that doesn't exist."""
    return ServiceError("ResourceNotFound", message)
