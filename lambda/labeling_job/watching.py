"""Watches a job that was just made: first that it leaves ``Initializing``, then that nothing fails in it.

``InProgress`` and ``Completed`` are success; ``Failed``, ``Stopping`` and ``Stopped`` fail the deploy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from . import log
from .contract import JobProperties
from .errors import DeployError
from .jobs import Jobs
from .patience import Patience, pauses

# So many objects that fail before any is labeled are no accident.
_FIRST_OBJECTS = 10
_LEAST_SECONDS = 0.05


class Watch:
    """How long a deploy looks at a job.

    Args:
        jobs: the service.
        patience: how long there is for all of it.
        in_progress: for how long a job that runs is watched, as mistakes of the set-up show there, unless
            its properties say how long.
    """

    def __init__(self, jobs: Jobs, patience: Patience, in_progress: timedelta) -> None:
        self._jobs, self._patience, self._in_progress = jobs, patience, in_progress

    def __call__(self, name: str, properties: JobProperties) -> Mapping[str, Any]:
        """Watch the job; as the service describes it in the end.

        Raises:
            DeployError: it failed, was stopped, or can't go on.
            NotYetError: this invocation is out of time.
        """
        probation, told = timedelta(seconds=properties.probation_seconds), properties.watch_seconds
        in_progress = self._in_progress if told is None else timedelta(seconds=told)
        begun: datetime | None = None
        for seconds in pauses():
            job = self._jobs.describe(name)
            if job is None:
                raise DeployError(f"the job {name!r} was created and is gone")
            status, where = job["LabelingJobStatus"], f" ({_console(job['LabelingJobArn'])})"
            if status == "Completed":
                log.action("Started", job=name, status=status)
                return job
            if status == "InProgress":
                begun = begun or self._patience.now()
                if (wrong := _set_up_wrong(job)) is not None:
                    raise DeployError(f"the job {name!r} started and can't go on: {wrong}{where}")
                old = self._patience.now() - job["CreationTime"] >= probation + in_progress
                if not probation or old or self._patience.now() - begun >= in_progress:
                    log.action("Started", job=name, status=status)
                    return job
            elif status == "Failed":
                reason = job.get("FailureReason", "no reason given")
                raise DeployError(f"the job {name!r} failed: {reason}{where}")
            elif status in ("Stopping", "Stopped"):
                raise DeployError(f"the job {name!r} was stopped by somebody while it was deployed{where}")
            elif self._patience.now() - job["CreationTime"] >= probation:
                log.action("ProbationOver", job=name, status=status)
                return job
            if begun is not None:
                # The last look is when the watch is over, not when the next pause happens to be.
                left = in_progress - (self._patience.now() - begun)
                seconds = min(seconds, max(left.total_seconds(), _LEAST_SECONDS))
            self._patience.pause(seconds, f"the job {name!r} is still {status}")
        raise AssertionError("pauses never end")


def _set_up_wrong(job: Mapping[str, Any]) -> str | None:
    """Why a job that is in progress won't label anything; None where nothing says so.

    Sources differ on whether the service begins with a small batch, so a few objects that failed, and none
    that was labeled, have to do.
    """
    if reason := job.get("FailureReason"):
        return str(reason)
    counters = job.get("LabelCounters", {})
    failed, labeled = counters.get("FailedNonRetryableError", 0), counters.get("TotalLabeled", 0)
    objects = failed + labeled + counters.get("Unlabeled", 0)
    if failed and not labeled and failed >= min(objects, _FIRST_OBJECTS):
        return f"its first {failed:,} objects all failed and none was labeled"
    return None


def _console(job_arn: str) -> str:
    region, name = job_arn.split(":")[3], job_arn.rpartition("/")[2]
    return f"https://{region}.console.aws.amazon.com/sagemaker/groundtruth?region={region}#/labeling-jobs/details/{name}"
