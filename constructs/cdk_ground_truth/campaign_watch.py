"""A campaign's own events, metrics, dashboard and alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from ._rooms import campaign
from .alarms import at_least, whole_hours
from .campaign_parts import Machine
from .events import RuleKeywords, matching
from .own_jobs import OwnJobs
from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_events as events
    from aws_cdk import aws_stepfunctions as sfn


class WatchedCampaign(OwnJobs):
    """What others hear and see of a campaign's runs; not for use by itself."""

    _machine: Machine

    @property
    def state_machine(self) -> sfn.StateMachine:
        """Each execution of it is a run; stopping one stops its jobs and keeps what they labeled."""
        return self._machine.state_machine

    def on_completed(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        min_new_labels: int = 0,
    ) -> events.Rule:
        """Run a target once for each run that made jobs, when its labels are gathered.

        The event's detail has `labels`, `newLabels`, `unlabeled`, `datasetManifest` and `run`.

        Args:
            construct_id: The rule's, below the campaign.
            target: What to run. Default: none yet; the rule's ``add_target`` adds some.
            description: The rule's. Default: none.
            min_new_labels: Only after a run that brought so many. Default: 0, after each.
        """
        Checker(self.node.path).integer("min_new_labels", min_new_labels, 0)
        return self._rule(
            construct_id,
            campaign.EVENT_RUN,
            {"newLabels": [{"numeric": [">=", min_new_labels]}]} if min_new_labels else None,
            target=target,
            description=description,
        )

    def on_job_failed(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
    ) -> events.Rule:
        """Run a target for each job that could not be made, failed or was stopped; the others go on.

        The event's detail has `job`, `status`, `reason` and `run`.
        """
        return self._rule(construct_id, campaign.EVENT_JOB, None, target=target, description=description)

    def metric_images_labeled(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Images that have a label, with those of running jobs; measured once an hour."""
        return self._metric(campaign.METRIC_LABELED, period)

    def metric_jobs_running(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """Jobs that live; measured once an hour."""
        return self._metric(campaign.METRIC_RUNNING, period)

    def metric_cost_so_far(self, *, period: Duration | None = None) -> cloudwatch.Metric:
        """What the labels so far cost by the prices of `CostCeiling`; none without prices."""
        return self._metric(campaign.METRIC_COST, period)

    def dashboard_widgets(self) -> list[cloudwatch.IWidget]:
        """Two rows for a dashboard: labels, jobs, cost, and how runs ended."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        labeled, running = self._metric(campaign.METRIC_LABELED), self._metric(campaign.METRIC_RUNNING)
        cost, machine = self._metric(campaign.METRIC_COST), self.state_machine
        return [
            cloudwatch.GraphWidget(
                title="Images labeled, jobs running", left=[labeled], right=[running], width=18
            ),
            cloudwatch.SingleValueWidget(title="By now", metrics=[labeled, running, cost], width=6, height=6),
            cloudwatch.GraphWidget(title="Cost so far", left=[cost], width=12),
            cloudwatch.GraphWidget(
                title="Runs",
                left=[machine.metric_started(), machine.metric_succeeded(), machine.metric_failed()],
                width=12,
            ),
        ]

    def dashboard(self, construct_id: str) -> cloudwatch.Dashboard:
        """A dashboard of the campaign."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        return cloudwatch.Dashboard(self, construct_id, widgets=[self.dashboard_widgets()])

    def alarm_nothing_labeled(self, construct_id: str, *, within: Duration) -> cloudwatch.Alarm:
        """Alarm while jobs run but nothing was labeled for some hours.

        Args:
            construct_id: The alarm's, below the campaign.
            within: 2 to 24 whole hours, as it is measured once an hour.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        hours = whole_hours(self, within, least=2)
        using: dict[str, cloudwatch.IMetric] = {
            "most": self._metric(campaign.METRIC_LABELED, within),
            "least": self._metric(campaign.METRIC_LABELED, within, "Minimum"),
            "running": self._metric(campaign.METRIC_RUNNING, within, "Minimum"),
        }
        idle = cloudwatch.MathExpression(
            expression="IF(running > 0 AND most - least == 0, 1, 0)",
            using_metrics=using,
            period=within,
            label="Idle",
        )
        return at_least(
            self, construct_id, idle, f"Labeling jobs run, but nothing was labeled within {hours} h"
        )

    def alarm_failed(self, construct_id: str) -> cloudwatch.Alarm:
        """Alarm when a run failed or took longer than Step Functions lets it, a year."""
        from aws_cdk import Duration
        from aws_cdk import aws_cloudwatch as cloudwatch

        hour, machine = Duration.hours(1), self.state_machine
        using: dict[str, cloudwatch.IMetric] = {
            "failed": machine.metric_failed(period=hour),
            "late": machine.metric_timed_out(period=hour),
        }
        failed = cloudwatch.MathExpression(
            expression="FILL(failed, 0) + FILL(late, 0)", using_metrics=using, period=hour, label="Failed"
        )
        return at_least(
            self, construct_id, failed, "A run of the labeling campaign failed; its execution says why"
        )

    def _metric(
        self, name: str, period: Duration | None = None, statistic: str = "Maximum"
    ) -> cloudwatch.Metric:
        from aws_cdk import Duration
        from aws_cdk import aws_cloudwatch as cloudwatch

        return cloudwatch.Metric(
            namespace=campaign.NAMESPACE,
            metric_name=name,
            dimensions_map={campaign.DIMENSION: self.job_name_prefix},
            statistic=statistic,
            period=period or Duration.hours(1),
        )

    def _rule(
        self, construct_id: str, kind: str, detail: Mapping[str, Any] | None, **keywords: Unpack[RuleKeywords]
    ) -> events.Rule:
        machine = [self.state_machine.state_machine_arn]
        source = campaign.EVENT_SOURCE
        return matching(self, construct_id, source, kind, detail=detail, resources=machine, **keywords)
