"""EventBridge rules over the service's own events of one job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import aws_events as events
    from constructs import Construct

Status = Literal["Completed", "Failed", "Stopped"]

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
