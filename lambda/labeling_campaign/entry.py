"""The function's entry: who calls, and what is done for them."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from typing import Any

from labeling_job import log
from labeling_job.campaign import FOLDER
from labeling_job.contract import ContractError
from labeling_job.errors import DeployError, NotYetError, causes, is_own_fault, is_passing, said

from . import clients, creator, listener, planner, resource, stopper
from .campaign import Campaign
from .gatherer import gather


def handler(event: Mapping[str, Any], context: Any) -> Any:
    """Handle what CloudFormation, the state machine or a rule of EventBridge sends.

    Raises:
        DeployError: it can't be done; trying again is no use.
        Exception: it can be tried again.
    """
    folder = os.environ[FOLDER]
    if "ResponseURL" in event:
        return resource.handle(event, context, folder)
    log.action("Step", **{key: event[key] for key in ("step", "run", "job", "detail-type") if key in event})
    try:
        return _step(event, Campaign(folder, clients.patience_of(context)), context)
    except (NotYetError, creator.AccountFullError):
        raise
    except (DeployError, ContractError) as error:
        log.action("Failed", reason=said(error))
        kind = OutageError if any(map(is_passing, causes(error))) else DeployError
        raise kind(said(error)) from error
    except Exception as error:  # the log gets all of it, the state machine's history the words
        fault = {"traceback": traceback.format_exc()} if is_own_fault(error) else {}
        log.action("Failed", reason=said(error), **fault)
        raise


class OutageError(Exception):
    """AWS gave no good answer for minutes: the state machine tries again."""


def _step(event: Mapping[str, Any], campaign: Campaign, context: Any) -> Any:
    match event.get("step") or event.get("source"):
        case "plan":
            return planner.plan(campaign, str(event["run"]), str(event["execution"]))
        case "create":
            return creator.create(campaign, event, context)
        case "gather":
            return _gathered(campaign, str(event["run"]))
        case "look":
            return listener.look(campaign)
        case "aws.sagemaker":
            return listener.job_ended(campaign, event)
        case "aws.states":
            return stopper.run_ended(campaign, event)
    raise DeployError(f"nobody knows what to do with {sorted(event)}")


def _gathered(campaign: Campaign, run: str) -> dict[str, Any]:
    plan = campaign.state.plan(run)
    if plan is not None:
        return gather(campaign, [plan]).told(campaign)
    # An earlier try had gathered it when its answer was lost.
    found = campaign.state.outcome(run)
    if found is None:
        raise DeployError(f"the run {run!r} has no plan")
    return {key: value for key, value in found.items() if key not in ("run", "execution", "jobs", "statuses")}
