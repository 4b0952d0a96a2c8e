"""Hears of jobs' ends and tells those who wait; once an hour looks for itself, as events can be lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling_job import cost, log
from labeling_job.jobs import LIVE

from . import metrics
from .campaign import Campaign
from .ends import look_at


def job_ended(campaign: Campaign, event: Mapping[str, Any]) -> None:
    """Tell the state machine of a job's end; a job that nobody waits for is none of the campaign's."""
    for arn in event.get("resources", ()):
        name = str(arn).rpartition("/")[2]
        token = campaign.state.token(name)
        if token is None:
            log.action("NobodyWaits", job=name)
            continue
        look_at(campaign, token)


def look(campaign: Campaign) -> None:
    """See to all who wait, and measure how far the campaign is."""
    running, labeled = 0, 0
    for token in campaign.state.tokens():
        job = look_at(campaign, token)
        if job is not None and job["LabelingJobStatus"] in LIVE:
            running += 1
            labeled += int(job.get("LabelCounters", {}).get("TotalLabeled", 0))
    dataset = campaign.state.dataset()
    terms = cost.terms(campaign.properties.cost or {})
    bought = cost.estimate(dataset.bought + labeled, workers=campaign.workers, terms=terms)
    metrics.put(
        campaign.properties.job.job_name_prefix,
        labeled=dataset.labels + labeled,
        running=running,
        cost=None if bought.amount is None else float(bought.amount),
    )
