"""Makes one job of a run, by the code that makes a single construct's job; its end is told elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labeling_job.creation import Creation
from labeling_job.errors import DeployError, causes, code_of
from labeling_job.event import Event
from labeling_job.images import Staging
from labeling_job.owned import Owned
from labeling_job.preflight import gate
from labeling_job.reachable import Reachable
from labeling_job.succession import briefly_checked

from . import clients
from .campaign import Campaign
from .ends import look_at
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
    token = Token(job=job.name, token=str(step["token"]), execution=execution)
    campaign.state.keep_token(token)
    event, properties = campaign.job_at(run, number, job.manifest)
    # Who waits for room in the account has had the images looked at before.
    checked = briefly_checked(properties) if was_tried else properties
    try:
        _creation(campaign, event, execution, context).ensure(job.name, checked)
    except DeployError as error:
        if any(code_of(each) == "ResourceLimitExceeded" for each in causes(error)):
            raise AccountFullError(str(error)) from error
        campaign.state.refuse(job.name, str(error))
        raise
    # While nobody could be told, the run may have been stopped, or the job have ended.
    if look_at(campaign, token) is None:
        raise DeployError(f"the job {job.name!r} was created and is gone")


def _creation(campaign: Campaign, event: Event, execution: str, context: Any) -> Creation:
    def check_awaited() -> None:
        if not campaign.executions.is_running(execution):
            raise DeployError("the run was stopped while this job was made")

    return Creation(
        campaign.jobs,
        Owned(campaign.jobs, event),
        campaign.patience,
        staging=_ReadyManifests(),
        preflight=lambda request, asked: gate.passed(
            request, asked, client=Reachable(clients.client), context=context
        ),
        check_awaited=check_awaited,
    )
