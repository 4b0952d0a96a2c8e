"""What a worker has in hand: one object of a job, and how its answer is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import builtin
from .answers import checked_answer
from .manifest import source_of
from .rules import S3Location
from .verification import checked_verdict


@dataclass(frozen=True, kw_only=True)
class JobTasks:
    """A job that has tasks for a worker, as a portal's list shows it."""

    job: str
    """The job's ARN."""
    name: str
    title: str
    description: str
    time_limit_seconds: int
    open: int
    """How many objects this worker could still take now."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One object in the hands of one worker."""

    id: str
    job: str
    worker: str
    index: int
    """The data object's number in the manifest."""
    line: dict[str, Any]
    """Its manifest line."""
    width: int
    height: int
    labels: tuple[str, ...]
    element: str
    """The key that the answer must have: the name of the template's element."""
    task_type: str
    accepted: float
    deadline: float

    @property
    def source(self) -> S3Location:
        """The picture."""
        return source_of(self.line)

    @property
    def is_verification(self) -> bool:
        """Whether it asks for a verdict instead of a mask."""
        return self.task_type == builtin.VERIFICATION


def checked(task: Task, content: dict[str, Any]) -> str:
    """The answer as it is kept.

    Raises:
        TaskError: the worker's page could not have sent it.
    """
    if task.is_verification:
        return checked_verdict(content, element=task.element, verdicts=task.labels)
    return checked_answer(
        content, element=task.element, labels=task.labels, width=task.width, height=task.height
    )
