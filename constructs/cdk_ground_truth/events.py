"""EventBridge rules over the service's own events of one job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import aws_events as events
    from constructs import Construct

Status = Literal["Completed", "Failed", "Stopped"]

TaskState = Literal["Accepted", "Declined", "Returned", "Submitted"]

_TASK_DETAIL_TYPE: Final = "SageMaker Ground Truth Labeling Job Task Status Change"
_DETAIL_TYPE: Final = "SageMaker Ground Truth Labeling Job State Change"


def rule(
    scope: Construct,
    construct_id: str,
    *,
    job_arn: str,
    statuses: Sequence[Status],
    target: events.IRuleTarget | None = None,
    description: str | None = None,
    rule_name: str | None = None,
) -> events.Rule:
    """A rule that matches one job's ends and no other job's.

    The pattern holds the custom resource's attribute, so CloudFormation changes the rule with the job.

    Raises:
        ValueError: the service sends no event of such a status.
    """
    from aws_cdk import aws_events as events

    known = get_args(Status)
    if isinstance(statuses, str) or not statuses or any(status not in known for status in statuses):
        Checker(scope.node.path).fail("statuses", f"be some of {known}", statuses)
    return events.Rule(
        scope,
        construct_id,
        description=description,
        rule_name=rule_name,
        event_pattern=events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=[_DETAIL_TYPE],
            resources=[job_arn],
            detail={"LabelingJobStatus": list(statuses)},
        ),
        targets=[target] if target is not None else None,
    )


def task_rule(
    scope: Construct,
    construct_id: str,
    *,
    job_arn: str,
    states: Sequence[TaskState],
    target: events.IRuleTarget | None = None,
    description: str | None = None,
    rule_name: str | None = None,
) -> events.Rule:
    """A rule that matches what workers do with one job's tasks.

    EventBridge's reference names the event and its details `State`, `labeling-job-arn` and
    `workteam-team-arn`, but prints no value of `State`. The guide says what workers do, so each of its words
    matches in any case, and as a part of a longer one.

    Raises:
        ValueError: workers do no such thing.
    """
    from aws_cdk import aws_events as events

    known = get_args(TaskState)
    if isinstance(states, str) or not states or any(state not in known for state in states):
        Checker(scope.node.path).fail("states", f"be some of {known}", states)
    patterns = [
        pattern for state in states for pattern in ({"equals-ignore-case": state}, {"wildcard": f"*{state}*"})
    ]
    return events.Rule(
        scope,
        construct_id,
        description=description,
        rule_name=rule_name,
        event_pattern=events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=[_TASK_DETAIL_TYPE],
            detail={"State": patterns, "labeling-job-arn": [job_arn]},
        ),
        targets=[target] if target is not None else None,
    )
