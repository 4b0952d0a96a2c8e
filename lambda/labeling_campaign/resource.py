"""A campaign's custom resource: begins with the stack, goes on with its changes, ends with it."""

from __future__ import annotations

from typing import Any

from labeling_job import entry, log
from labeling_job.campaign import ATTR_DATASET_URI, ATTR_UNLABELED_URI, DATASET, UNLABELED
from labeling_job.contract import parsed_or_none
from labeling_job.errors import DeployError
from labeling_job.event import Event
from labeling_job.jobs import LIVE
from labeling_job.lifecycle import Outcome
from labeling_job.owned import fingerprint, resource_marker
from labeling_job.patience import Patience
from labeling_job.storage import Storage
from labeling_job.succession import keeps_labels

from . import clients
from .campaign import Campaign
from .state import State
from .stopper import stop_all


def handle(event: Any, context: Any, folder: str) -> None:
    """Do what CloudFormation asks for, and answer it."""
    entry.answered(event, context, lambda asked, context: _done(asked, context, folder), _physical_id)


def _done(asked: Event, context: Any, folder: str) -> Outcome:
    patience = clients.patience_of(context)
    if asked.request_type == "Delete":
        return _deleted(asked, folder, patience)
    own = ("ServiceToken", "ServiceTimeout")
    settings = {
        "StackId": asked.stack_id,
        "LogicalResourceId": asked.logical_id,
        "Properties": {key: value for key, value in asked.properties.items() if key not in own},
    }
    campaign = Campaign(folder, patience, settings)
    before = campaign.state.settings()
    if before is None:
        _begin_anew(asked, campaign, folder)
    _check_labels(campaign, before)
    if before is not None and before["StackId"] == asked.stack_id and _is_other(before, settings):
        stop_all(Campaign(folder, patience, before), "the campaign's jobs are to be other ones")
    campaign.state.keep_settings(settings)
    if campaign.properties.run_at_deploy:
        campaign.executions.start(campaign.properties.state_machine_arn, f"deploy-{asked.request_id}")
    return Outcome(
        physical_id=_physical_id(asked),
        data={
            ATTR_DATASET_URI: campaign.state.uri(DATASET),
            ATTR_UNLABELED_URI: campaign.state.uri(UNLABELED),
        },
    )


def _deleted(asked: Event, folder: str, patience: Patience) -> Outcome:
    found = State(Storage(clients.client("s3"), patience), folder).settings()
    if found is None or found["StackId"] != asked.stack_id:
        log.action("DeleteNothing", why="the campaign never began, or is another stack's by now")
    else:
        # The campaign is read as it was, whatever this release takes for right.
        stop_all(Campaign(folder, patience, found), "the campaign leaves its stack")
    return Outcome(physical_id=asked.current_id)


def _begin_anew(asked: Event, campaign: Campaign, folder: str) -> None:
    """See to it that a campaign which begins in an empty folder buys nothing that it has in another one.

    Raises:
        DeployError: it would, and `relabel` isn't set.
    """
    old = str(asked.old_properties.get("Campaign", {}).get("FolderS3Uri", folder))
    if old == folder:
        return
    if not campaign.properties.job.relabel:
        raise DeployError(
            f"the campaign has its labels in {old} and would begin anew in {folder}, with all images asked"
            " again; keep output_bucket, output_prefix and job_name_prefix, copy the folder there first"
            " (aws s3 cp --recursive), or set relabel=True, which buys all labels again"
        )
    # What runs knows the other folder, which may be out of reach by now.
    for execution in campaign.executions.running(campaign.properties.state_machine_arn):
        campaign.executions.stop(execution, "the campaign begins anew in another folder")
    for job in campaign.jobs.named_like(resource_marker(asked.stack_id, asked.logical_id)):
        if job["LabelingJobStatus"] in LIVE:
            campaign.jobs.stop(job["LabelingJobName"])


def _check_labels(campaign: Campaign, before: dict[str, Any] | None) -> None:
    """Refuse what would make the labels that are there mean something else.

    Raises:
        DeployError: it would, and `relabel` isn't set.
    """
    dataset = campaign.state.dataset()
    if before is None or not dataset.labels or dataset.meaning == campaign.properties.meaning:
        return
    have = {
        "LabelingJobName": campaign.properties.job.job_name_prefix,
        "LabelCounters": {"TotalLabeled": dataset.labels},
    }
    keeps_labels(parsed_or_none(before["Properties"].get("Job", {})), campaign.properties.job, have)


def _is_other(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether the jobs that run are made of something else than is wanted now."""
    old, new = (each["Properties"].get("Job", {}) for each in (before, after))
    return fingerprint(old) != fingerprint(new)


def _physical_id(asked: Event) -> str:
    """The same for as long as the resource is."""
    return f"campaign-{resource_marker(asked.stack_id, asked.logical_id)}"
