"""How jobs end: what is told of it, and how those are ended that nobody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling_job import log
from labeling_job.jobs import ENDED, LIVE

from .campaign import Campaign
from .state import Plan, Token

# More of the service's reason is cut, so that a state's output stays small.
_REASON_MOST = 1_000


def ending(job: Mapping[str, Any]) -> dict[str, str]:
    """What the state machine is told of a job that has ended."""
    return {
        "job": job["LabelingJobName"],
        "status": job["LabelingJobStatus"],
        "reason": str(job.get("FailureReason", ""))[:_REASON_MOST],
    }


def look_at(campaign: Campaign, token: Token) -> Mapping[str, Any] | None:
    """Tell who waits if the job has ended; end the job if nobody waits for it any more."""
    job = campaign.jobs.describe(token.job)
    if job is None:
        # It is still to be made, or will never be: whoever makes it knows.
        return None
    if job["LabelingJobStatus"] in ENDED:
        # Where nobody waits for this token, somebody may by now for another one that was kept meanwhile.
        if campaign.executions.succeed(token.token, ending(job)):
            campaign.state.drop_token(token.job)
    elif not campaign.executions.is_running(token.execution) and job["LabelingJobStatus"] in LIVE:
        campaign.jobs.stop(token.job)
        log.action("Abandon", job=token.job, why="its run was stopped")
    return job


def end_jobs(campaign: Campaign, plan: Plan) -> Mapping[str, Mapping[str, Any]]:
    """Stop what still lives of a run and wait for it; the run's jobs as the service describes them.

    Raises:
        NotYetError: a job is still stopping and this invocation is out of time.
        DeployError: a job has not stopped in time.
    """
    described = ((job.name, campaign.jobs.end(job.name)) for job in plan.jobs)
    found = {name: job for name, job in described if job is not None}
    log.action(
        "JobsEnded", run=plan.run, jobs={name: job["LabelingJobStatus"] for name, job in found.items()}
    )
    return found
