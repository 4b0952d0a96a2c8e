"""A campaign's own events, metrics, dashboard and alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ._rooms import campaign
from .validation import Checker, is_token

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_events as events

    from .campaign import SemanticSegmentationLabelingCampaign

_HOUR: Final = 3_600


def rule(
    owner: SemanticSegmentationLabelingCampaign,
    construct_id: str,
    kind: str,
    detail: Mapping[str, Any],
    *,
    target: events.IRuleTarget | None,
    description: str | None,
) -> events.Rule:
    """A rule that matches one campaign's events of a kind."""
    from aws_cdk import aws_events as events

    return events.Rule(
        owner,
        construct_id,
        description=description,
        event_pattern=events.EventPattern(
            source=[campaign.EVENT_SOURCE],
            detail_type=[kind],
            resources=[owner.state_machine.state_machine_arn],
            detail=dict(detail) or None,
        ),
        targets=[target] if target is not None else None,
    )


def metric(
    owner: SemanticSegmentationLabelingCampaign,
    name: str,
    period: Duration | None = None,
    statistic: str = "Maximum",
) -> cloudwatch.Metric:
    """One of the campaign's figures."""
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch

    return cloudwatch.Metric(
        namespace=campaign.NAMESPACE,
        metric_name=name,
        dimensions_map={campaign.DIMENSION: owner.job_name_prefix},
        statistic=statistic,
        period=period or Duration.hours(1),
    )


def widgets(owner: SemanticSegmentationLabelingCampaign) -> list[cloudwatch.IWidget]:
    """Two rows of 24 columns."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    labeled, running = metric(owner, campaign.METRIC_LABELED), metric(owner, campaign.METRIC_RUNNING)
    cost, machine = metric(owner, campaign.METRIC_COST), owner.state_machine
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


def nothing_labeled(
    owner: SemanticSegmentationLabelingCampaign, construct_id: str, within: Duration
) -> cloudwatch.Alarm:
    """In alarm while jobs run all the time and the labels don't grow."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    seconds = within.to_seconds()
    if is_token(seconds) or seconds % _HOUR or not 2 * _HOUR <= seconds <= 24 * _HOUR:
        given = "a token" if is_token(seconds) else f"{seconds:g} seconds"
        Checker(owner.node.path).fail("within", "be 2 to 24 whole hours", given, "write Duration.hours(6)")
    using: dict[str, cloudwatch.IMetric] = {
        "most": metric(owner, campaign.METRIC_LABELED, within),
        "least": metric(owner, campaign.METRIC_LABELED, within, "Minimum"),
        "running": metric(owner, campaign.METRIC_RUNNING, within, "Minimum"),
    }
    return cloudwatch.Alarm(
        owner,
        construct_id,
        alarm_description=f"Labeling jobs run, but nothing was labeled within {seconds / _HOUR:g} h",
        metric=cloudwatch.MathExpression(
            expression="IF(running > 0 AND most - least == 0, 1, 0)",
            using_metrics=using,
            period=within,
            label="Idle",
        ),
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )


def failed(owner: SemanticSegmentationLabelingCampaign, construct_id: str) -> cloudwatch.Alarm:
    """In alarm for an hour after a run that failed or timed out."""
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch

    hour, machine = Duration.hours(1), owner.state_machine
    using: dict[str, cloudwatch.IMetric] = {
        "failed": machine.metric_failed(period=hour),
        "late": machine.metric_timed_out(period=hour),
    }
    return cloudwatch.Alarm(
        owner,
        construct_id,
        alarm_description="A run of the labeling campaign failed; its execution says why",
        metric=cloudwatch.MathExpression(
            expression="FILL(failed, 0) + FILL(late, 0)", using_metrics=using, period=hour, label="Failed"
        ),
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
