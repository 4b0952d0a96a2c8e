"""How jobs end: what is told of it, and how those are ended that nobody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling_job import log
from labeling_job.jobs import ENDED, LIVE
from labeling_job.patience import pauses

from .campaign import Campaign
from .state import Plan

# More of the service's reason is cut, so that a state's output stays small.
_REASON_MOST = 1_000


def ending(job: Mapping[str, Any]) -> dict[str, str]:
    """What the state machine is told of a job that has ended."""
    return {
        "job": job["LabelingJobName"],
        "status": job["LabelingJobStatus"],
        "reason": str(job.get("FailureReason", ""))[:_REASON_MOST],
    }


def end_jobs(campaign: Campaign, plan: Plan) -> dict[str, Mapping[str, Any]]:
    """Stop what still lives of a run and wait for it; the run's jobs as the service describes them.

    Raises:
        NotYetError: a job is still stopping and this invocation is out of time.
        DeployError: a job has not stopped in time.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for job in plan.jobs:
        for seconds in pauses():
            described = campaign.jobs.describe(job.name)
            if described is None:
                break
            found[job.name] = described
            status = described["LabelingJobStatus"]
            if status in ENDED:
                break
            if status in LIVE:
                campaign.jobs.stop(job.name)
            campaign.patience.pause(seconds, f"the job {job.name!r} is still {status}")
    log.action(
        "JobsEnded", run=plan.run, jobs={name: job["LabelingJobStatus"] for name, job in found.items()}
    )
    return found
