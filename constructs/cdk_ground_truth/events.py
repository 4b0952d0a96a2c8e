"""EventBridge rules over the service's own events of one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, Unpack, get_args

from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import aws_events as events
    from constructs import Construct

Status = Literal["Completed", "Failed", "Stopped"]

TaskState = Literal["Accepted", "Declined", "Returned", "Submitted"]

_SOURCE: Final = "aws.sagemaker"
_TASK_DETAIL_TYPE: Final = "SageMaker Ground Truth Labeling Job Task Status Change"
_DETAIL_TYPE: Final = "SageMaker Ground Truth Labeling Job State Change"


class RuleKeywords(TypedDict, total=False):
    """What of each rule is up to whoever wants it."""

    target: events.IRuleTarget | None
    description: str | None
    rule_name: str | None


def rule(
    scope: Construct,
    construct_id: str,
    *,
    job_arn: str,
    statuses: Sequence[Status],
    **keywords: Unpack[RuleKeywords],
) -> events.Rule:
    """A rule that matches one job's ends and no other job's.

    The pattern holds the custom resource's attribute, so CloudFormation changes the rule with the job.

    Raises:
        ValueError: the service sends no event of such a status.
    """
    _check_some(scope, "statuses", statuses, get_args(Status))
    detail = {"LabelingJobStatus": list(statuses)}
    return matching(
        scope, construct_id, _SOURCE, _DETAIL_TYPE, detail=detail, resources=[job_arn], **keywords
    )


def task_rule(
    scope: Construct,
    construct_id: str,
    *,
    job_arn: str,
    states: Sequence[TaskState],
    **keywords: Unpack[RuleKeywords],
) -> events.Rule:
    """A rule that matches what workers do with one job's tasks.

    EventBridge's reference names the event and its details `State`, `labeling-job-arn` and
    `workteam-team-arn`, but prints no value of `State`. The guide says what workers do, so each of its words
    matches in any case, and as a part of a longer one.

    Raises:
        ValueError: workers do no such thing.
    """
    _check_some(scope, "states", states, get_args(TaskState))
    patterns = [
        pattern for state in states for pattern in ({"equals-ignore-case": state}, {"wildcard": f"*{state}*"})
    ]
    detail = {"State": patterns, "labeling-job-arn": [job_arn]}
    return matching(scope, construct_id, _SOURCE, _TASK_DETAIL_TYPE, detail=detail, **keywords)


def matching(
    scope: Construct,
    construct_id: str,
    source: str,
    detail_type: str,
    *,
    detail: Mapping[str, Any] | None,
    resources: list[str] | None = None,
    target: events.IRuleTarget | None = None,
    description: str | None = None,
    rule_name: str | None = None,
) -> events.Rule:
    """A rule that matches events of one kind."""
    from aws_cdk import aws_events as events

    return events.Rule(
        scope,
        construct_id,
        description=description,
        rule_name=rule_name,
        event_pattern=events.EventPattern(
            source=[source], detail_type=[detail_type], resources=resources, detail=detail
        ),
        targets=[target] if target is not None else None,
    )


def _check_some(scope: Construct, name: str, given: Sequence[str], known: tuple[str, ...]) -> None:
    if isinstance(given, str) or not given or any(each not in known for each in given):
        Checker(scope.node.path).fail(name, f"be some of {known}", given)
