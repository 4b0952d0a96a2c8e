"""Makes one job of a run, by the code that makes a single construct's job; its end is told elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labeling_job import log
from labeling_job.creation import Creation
from labeling_job.errors import DeployError, code_of
from labeling_job.images import Staging
from labeling_job.jobs import ENDED, LIVE
from labeling_job.owned import Owned
from labeling_job.preflight import gate
from labeling_job.reachable import Reachable
from labeling_job.succession import briefly_checked

from . import clients
from .campaign import Campaign
from .ends import ending
from .state import Token


class AccountFullError(Exception):
    """The account has as many labeling jobs as it may: the state machine asks again later."""


class _ReadyManifests:
    """The planner has written each job's manifest already."""

    def staged(self, *_: Any, **__: Any) -> Staging | None:
        return None

    def publish(self, staging: Staging, before_copying: Callable[[], None]) -> None:
        raise AssertionError("nothing is staged")


def create(campaign: Campaign, step: Mapping[str, Any], context: Any) -> None:
    """Make the job, and see to it that whoever has the step's token is told of its end.

    Raises:
        AccountFullError: the account has no room; nothing was made.
        DeployError: the job can't be made; the reason is kept for the list of what has no label.
    """
    run, number, execution = str(step["run"]), int(step["job"]), str(step["execution"])
    plan = campaign.state.plan(run)
    if plan is None:
        raise DeployError(f"the run {run!r} has no plan: it was gathered already")
    job = plan.jobs[number]
    was_tried = campaign.state.token(job.name) is not None
    # The token is kept before the job is made: one that ends at once finds who waits.
    campaign.state.keep_token(Token(job=job.name, token=str(step["token"]), execution=execution))
    try:
        _ensure(
            campaign,
            run=run,
            number=number,
            manifest=job.manifest,
            execution=execution,
            context=context,
            was_tried=was_tried,
        )
    except DeployError as error:
        if _is_full(error):
            raise AccountFullError(str(error)) from error
        campaign.state.refuse(job.name, str(error))
        raise
    _hand_over(campaign, job.name, str(step["token"]), execution)


def _ensure(
    campaign: Campaign,
    *,
    run: str,
    number: int,
    manifest: str,
    execution: str,
    context: Any,
    was_tried: bool,
) -> None:
    event, properties = campaign.job_at(run, number, manifest)

    def check_awaited() -> None:
        if not campaign.executions.is_running(execution):
            raise DeployError("the run was stopped while this job was made")

    creation = Creation(
        campaign.jobs,
        Owned(campaign.jobs, event),
        campaign.patience,
        staging=_ReadyManifests(),
        preflight=lambda request, asked: gate.passed(
            request, asked, client=Reachable(clients.client), context=context
        ),
        check_awaited=check_awaited,
    )
    # Who waits for room in the account has had the images looked at before.
    creation.ensure(campaign.name_of(run, number), briefly_checked(properties) if was_tried else properties)


def _hand_over(campaign: Campaign, name: str, token: str, execution: str) -> None:
    """What may have happened while nobody could be told: the run was stopped, or the job has ended."""
    job = campaign.jobs.describe(name)
    if job is None:
        raise DeployError(f"the job {name!r} was created and is gone")
    if job["LabelingJobStatus"] in LIVE and not campaign.executions.is_running(execution):
        campaign.jobs.stop(name)
        log.action("Abandon", job=name, why="its run was stopped")
    elif job["LabelingJobStatus"] in ENDED and campaign.executions.succeed(token, ending(job)):
        campaign.state.drop_token(name)


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if code_of(error) == "ResourceLimitExceeded":
            return True
        error = error.__cause__
    return False
