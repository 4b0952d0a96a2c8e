"""Alarms of a job's health.

No metric says whether a job is in progress, and those that count ended jobs count all of the account's. The
service's events do say when this job ends: a rule without a target counts them (``TriggeredRules``), and an
alarm over it keeps its state. Alarms are named after the job, so that another job begins with new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from .events import Status, rule, task_rule
from .metrics import NAMESPACES
from .validation import Checker, is_token

if TYPE_CHECKING:
    from aws_cdk import Duration, aws_events
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from .labeling_job import LabelingJobBase

_HOUR: Final = 3_600
_LABELED: Final = "TotalDatasetObjectsLabeled"
_ENDS: Final[tuple[Status, ...]] = ("Completed", "Failed", "Stopped")


def at_least(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.IMetric,
    description: str,
    *,
    threshold: int = 1,
    name: str | None = None,
    missing: Literal["IGNORE", "NOT_BREACHING"] = "NOT_BREACHING",
) -> cloudwatch.Alarm:
    """In alarm while the metric's newest value is so high, or higher."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    return cloudwatch.Alarm(
        scope,
        construct_id,
        alarm_name=name,
        alarm_description=description,
        metric=metric,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        threshold=threshold,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData[missing],
    )


def ended(
    job: LabelingJobBase, construct_id: str, statuses: tuple[Status, ...], description: str
) -> cloudwatch.Alarm:
    """In alarm from the job's end until another job takes its place."""
    events = rule(
        job, f"{construct_id}Event", job_arn=job.job_arn, statuses=statuses, description=description
    )
    name = f"{job.job_name}-{construct_id}"
    # The event comes once: afterwards the state stays.
    return at_least(job, construct_id, _matches(events), description, name=name, missing="IGNORE")


def nothing_labeled(
    job: LabelingJobBase,
    construct_id: str,
    *,
    within: Duration,
    deploys: cloudwatch.IMetric | None,
    namespace: str | None,
) -> cloudwatch.CompositeAlarm:
    """In alarm while a job hasn't ended and no object was labeled for some hours."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    hours = whole_hours(job, within, least=1)
    idle = cloudwatch.Alarm(
        job,
        f"{construct_id}Idle",
        alarm_name=f"{job.job_name}-{construct_id}Idle",
        alarm_description=f"No object was labeled within {hours} h",
        metric=_signs_of_life(job, within, deploys, namespace),
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        threshold=1,
        evaluation_periods=1,
        # A job that nobody works on sends nothing at all.
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    over = ended(job, f"{construct_id}Ended", _ENDS, "Labeling job has ended")
    measured = at_least(
        job,
        f"{construct_id}Measured",
        _anything(job, within, namespace),
        "Something of the labeling job was measured; without it idleness can't be told",
        threshold=0,
        name=f"{job.job_name}-{construct_id}Measured",
        # Once is enough: afterwards the state stays.
        missing="IGNORE",
    )
    return cloudwatch.CompositeAlarm(
        job,
        construct_id,
        composite_alarm_name=f"{job.job_name}-{construct_id}",
        alarm_description=f"Labeling job is in progress, but nothing was labeled within {hours} h",
        alarm_rule=cloudwatch.AlarmRule.all_of(
            cloudwatch.AlarmRule.from_alarm(idle, cloudwatch.AlarmState.ALARM),
            cloudwatch.AlarmRule.from_alarm(measured, cloudwatch.AlarmState.ALARM),
            cloudwatch.AlarmRule.not_(cloudwatch.AlarmRule.from_alarm(over, cloudwatch.AlarmState.ALARM)),
        ),
    )


def declined(
    job: LabelingJobBase, construct_id: str, *, declines: int, within: Duration | None
) -> cloudwatch.Alarm:
    """In alarm while so many tasks were declined within some hours."""
    from aws_cdk import Duration

    Checker(job.node.path).integer("declines", declines, 1)
    within = Duration.hours(1) if within is None else within
    hours = whole_hours(job, within, least=1)
    description = f"Workers declined {declines} tasks of the labeling job within {hours} h"
    events = task_rule(
        job, f"{construct_id}Event", job_arn=job.job_arn, states=("Declined",), description=description
    )
    name, often = f"{job.job_name}-{construct_id}", _matches(events, within)
    return at_least(job, construct_id, often, description, threshold=declines, name=name)


def whole_hours(scope: Construct, within: Duration, *, least: int) -> int:
    """A time as hours.

    Raises:
        ValueError: not up to 24 whole ones.
    """
    seconds = within.to_seconds()
    if is_token(seconds) or seconds % _HOUR or not least * _HOUR <= seconds <= 24 * _HOUR:
        given = "a token" if is_token(seconds) else f"{seconds:g} seconds"
        must = f"be {least} to 24 whole hours"
        Checker(scope.node.path).fail("within", must, given, "write Duration.hours(6)")
    return int(seconds / _HOUR)


def _matches(events: aws_events.Rule, period: Duration | None = None) -> cloudwatch.Metric:
    """How often a rule's events came."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    return cloudwatch.Metric(
        namespace="AWS/Events",
        metric_name="TriggeredRules",
        dimensions_map={"RuleName": events.rule_name},
        statistic="Sum",
        period=period,
    )


def _signs_of_life(
    job: LabelingJobBase, within: Duration, deploys: cloudwatch.IMetric | None, namespace: str | None
) -> cloudwatch.MathExpression:
    """Objects that were labeled within the time, in whichever namespace, and deploys."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    using: dict[str, cloudwatch.IMetric] = {}
    terms = []
    for index, each in enumerate(_namespaces(namespace)):
        for alias, statistic in (("most", "Maximum"), ("least", "Minimum")):
            using[f"{alias}{index}"] = job.metric(
                _LABELED, statistic=statistic, namespace=each, period=within
            )
        terms.append(f"FILL(most{index}, 0) - FILL(least{index}, 0)")
    if deploys is not None:
        using["deploys"] = deploys
        terms.append("FILL(deploys, 0)")
    return cloudwatch.MathExpression(
        expression=" + ".join(terms), using_metrics=using, period=within, label="Signs of life"
    )


def _anything(job: LabelingJobBase, within: Duration, namespace: str | None) -> cloudwatch.IMetric:
    """Has a value in each time in which anything was measured in one namespace at least."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    using = {
        f"seen{index}": job.metric(_LABELED, namespace=each, period=within)
        for index, each in enumerate(_namespaces(namespace))
    }
    # MAX takes no notice of what is missing in a list, so nothing is filled up here.
    return cloudwatch.MathExpression(
        expression=f"MAX([{', '.join(using)}])", using_metrics=using, period=within, label="Measured"
    )


def _namespaces(namespace: str | None) -> tuple[str, ...]:
    return NAMESPACES if namespace is None else (namespace,)


def unanswered(job: LabelingJobBase, construct_id: str, function: lambda_.IFunction) -> cloudwatch.Alarm:
    """In alarm for five minutes after an event that the handler never answered."""
    dropped = function.metric("AsyncEventsDropped", statistic="Sum")
    description = "The handler of the stack's labeling jobs left CloudFormation without an answer"
    return at_least(job, construct_id, dropped, description)
