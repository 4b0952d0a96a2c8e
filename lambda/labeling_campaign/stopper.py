"""After a run that was stopped, failed or took too long: its jobs end, and their labels are gathered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling_job import log

from .campaign import Campaign
from .gatherer import gather

# A function that was making a job when its run was stopped is through by then.
_SETTLE_SECONDS = 20.0


def run_ended(campaign: Campaign, event: Mapping[str, Any]) -> None:
    """End the jobs of the execution that the event is about."""
    execution = str(event["detail"]["executionArn"])
    plans = [plan for plan in campaign.state.pending() if plan.execution == execution]
    if not plans:
        log.action("NothingToEnd", execution=execution)
        return
    settle(campaign)
    gather(campaign, plans)


def stop_all(campaign: Campaign, cause: str) -> None:
    """Stop all that runs, end all jobs, gather all labels."""
    running = campaign.executions.running(campaign.properties.state_machine_arn)
    for execution in running:
        campaign.executions.stop(execution, cause)
    if running:
        settle(campaign)
    gather(campaign, campaign.state.pending())


def settle(campaign: Campaign) -> None:
    """Wait for what was begun before the run was stopped; jobs made meanwhile are ended with the others."""
    campaign.patience.pause(_SETTLE_SECONDS, "a job may still be being made")
