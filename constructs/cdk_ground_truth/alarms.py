"""Alarms of a job's health.

No metric says whether a job is in progress, and those that count ended jobs count all of the account's. The
service's events do say when this job ends: a rule without a target counts them (``TriggeredRules``), and an
alarm over it keeps its state. Alarms are named after the job, so that another job begins with new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .events import Status, rule
from .validation import Checker, is_token

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_lambda as lambda_

    from .labeling_job import LabelingJobBase

_HOUR: Final = 3_600
_ENDS: Final[tuple[Status, ...]] = ("Completed", "Failed", "Stopped")


def ended(
    job: LabelingJobBase, construct_id: str, statuses: tuple[Status, ...], description: str
) -> cloudwatch.Alarm:
    """In alarm from the job's end until another job takes its place."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    events = rule(
        job, f"{construct_id}Event", job_arn=job.job_arn, statuses=statuses, description=description
    )
    metric = cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions_map={"RuleName": events.rule_name},
        statistic="Sum",
    )
    return cloudwatch.Alarm(
        job,
        construct_id,
        alarm_name=f"{job.job_name}-{construct_id}",
        alarm_description=description,
        metric=metric,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold=1,
        evaluation_periods=1,
        # The event comes once: afterwards the state stays.
        treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
    )


def nothing_labeled(
    job: LabelingJobBase,
    construct_id: str,
    *,
    within: Duration,
    deploys: cloudwatch.IMetric | None,
    namespace: str,
) -> cloudwatch.CompositeAlarm:
    """In alarm while a job hasn't ended and no object was labeled for some hours."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    seconds = within.to_seconds()
    if is_token(seconds) or seconds % _HOUR or not _HOUR <= seconds <= 24 * _HOUR:
        given = "a token" if is_token(seconds) else f"{seconds:g} seconds"
        Checker(job.node.path).fail("within", "be 1 to 24 whole hours", given, "write Duration.hours(6)")
    hours = int(seconds / _HOUR)
    count = "TotalDatasetObjectsLabeled"
    using: dict[str, cloudwatch.IMetric] = {
        "most": job.metric(count, statistic="Maximum", namespace=namespace, period=within),
        "least": job.metric(count, statistic="Minimum", namespace=namespace, period=within),
    }
    growth = "most - least"
    if deploys is not None:
        using["deploys"] = deploys
        growth = f"SUM([{growth}, deploys])"
    idle = cloudwatch.Alarm(
        job,
        f"{construct_id}Idle",
        alarm_name=f"{job.job_name}-{construct_id}Idle",
        alarm_description=f"No object was labeled within {hours} h",
        metric=cloudwatch.MathExpression(
            expression=growth, using_metrics=using, period=within, label="Signs of life"
        ),
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        threshold=1,
        evaluation_periods=1,
        # A job that nobody works on sends nothing at all.
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    over = ended(job, f"{construct_id}Ended", _ENDS, "Labeling job has ended")
    return cloudwatch.CompositeAlarm(
        job,
        construct_id,
        composite_alarm_name=f"{job.job_name}-{construct_id}",
        alarm_description=f"Labeling job is in progress, but nothing was labeled within {hours} h",
        alarm_rule=cloudwatch.AlarmRule.all_of(
            cloudwatch.AlarmRule.from_alarm(idle, cloudwatch.AlarmState.ALARM),
            cloudwatch.AlarmRule.not_(cloudwatch.AlarmRule.from_alarm(over, cloudwatch.AlarmState.ALARM)),
        ),
    )


def unanswered(job: LabelingJobBase, construct_id: str, function: lambda_.IFunction) -> cloudwatch.Alarm:
    """In alarm for five minutes after an event that the handler never answered."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    return cloudwatch.Alarm(
        job,
        construct_id,
        alarm_description="The handler of the stack's labeling jobs left CloudFormation without an answer",
        metric=function.metric("AsyncEventsDropped", statistic="Sum"),
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
