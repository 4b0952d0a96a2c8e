"""The page of a task: the job's worker template, rendered for one object."""

from __future__ import annotations

import math

from . import template
from .jobs import Job
from .preparation import read_template, task_input
from .s3 import RoleS3
from .tasks import Task

_GRACE_SECONDS = 300


def render_task(job: Job, task: Task, s3: RoleS3, *, now: float) -> str:
    """Return the HTML that a worker's browser gets; its presigned URLs outlive the task by a few minutes.

    Raises:
        JobFailure: the template or its rendering fails, or the role may not read the template.
    """
    seconds = max(1, math.ceil(task.deadline - now)) + _GRACE_SECONDS
    return template.render(
        read_template(job, s3),
        task_input=task_input(job, task.line),
        presign=lambda location: s3.presign(location, seconds=seconds),
    )
