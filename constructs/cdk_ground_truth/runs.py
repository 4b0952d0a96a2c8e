"""When a campaign looks for images without a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_events as events


@dataclass(frozen=True, kw_only=True)
class Runs:
    """When a campaign's runs begin; a run that finds another one at work leaves everything to it.

    Each run lists the images, makes jobs for those without a label, and gathers what was labeled. One that
    finds nothing to do makes nothing.
    """

    at_each_deploy: bool = False
    schedule: events.Schedule | None = None

    @staticmethod
    def at_deploy() -> Runs:
        """Begin with each `cdk deploy` that changes the campaign; the deploy doesn't wait for labels."""
        return Runs(at_each_deploy=True)

    @staticmethod
    def on_schedule(schedule: events.Schedule, *, at_deploy: bool = False) -> Runs:
        """Begin on a schedule, such as ``events.Schedule.cron(hour="2", minute="0")``.

        Args:
            schedule: In UTC.
            at_deploy: Whether a deploy begins a run as well. Default: False.
        """
        return Runs(at_each_deploy=at_deploy, schedule=schedule)

    @staticmethod
    def on_call() -> Runs:
        """Begin when somebody starts an execution of the campaign's `state_machine`."""
        return Runs()
