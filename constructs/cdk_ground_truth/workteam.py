"""The people who label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Resource, Stack
from constructs import Construct

from ._rooms import limits
from .iam_text import check_name
from .validation import Checker, is_token

if TYPE_CHECKING:
    # At run time its import would cost every app some hundred milliseconds.
    from aws_cdk.aws_sagemaker import CfnWorkteam

# The references are strong: jsii forgets the Python half of an object that nobody holds.
_FROM_CFN: dict[CfnWorkteam, Workteam] = {}


class Workteam(Resource):
    """A private or vendor work team; make one with a ``from_…`` method.

    A work team works in its own Region only, so a job's stack has to be in the same.
    """

    def __init__(self, scope: Construct, construct_id: str, *, workteam_arn: str) -> None:
        super().__init__(scope, construct_id)
        self._workteam_arn = workteam_arn

    @classmethod
    def from_workteam_arn(cls, scope: Construct, construct_id: str, workteam_arn: str) -> Workteam:
        """Use an existing work team.

        Args:
            scope: Where to add it in the tree.
            construct_id: Its id there.
            workteam_arn: ``arn:aws:sagemaker:REGION:ACCOUNT:workteam/private-crowd/NAME``, or the
                ``vendor-crowd`` form of AWS Marketplace.

        Raises:
            ValueError: not a work team's ARN, the closed public team, or another Region than the stack's.
        """
        _check_arn(scope, construct_id, workteam_arn)
        return cls(scope, construct_id, workteam_arn=workteam_arn)

    @classmethod
    def from_cfn_workteam(cls, cfn_workteam: CfnWorkteam) -> Workteam:
        """Use an ``AWS::SageMaker::Workteam`` of this app (its ``Ref`` is the ARN)."""
        if cfn_workteam not in _FROM_CFN:
            _FROM_CFN[cfn_workteam] = cls(cfn_workteam, "@FromCfnWorkteam", workteam_arn=cfn_workteam.ref)
        return _FROM_CFN[cfn_workteam]

    @property
    def workteam_arn(self) -> str:
        """The work team's ARN."""
        return self._workteam_arn


def _check_arn(scope: Construct, construct_id: str, arn: str) -> None:
    if is_token(arn):
        return
    check = Checker("/".join(filter(None, (scope.node.path, construct_id))))
    if isinstance(arn, str) and limits.PUBLIC_WORKTEAM.fullmatch(arn):
        check.fail(
            "workteam_arn",
            "name a private or vendor work team",
            arn,
            "Amazon Mechanical Turk, the public work team, closed on 2026-09-30; private and vendor remain",
        )
    match = limits.WORKTEAM_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if match is None or len(arn) > limits.WORKTEAM_ARN_MAX:
        check.fail(
            "workteam_arn",
            "be the ARN of a work team",
            arn,
            "it looks like arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
            f" and has at most {limits.WORKTEAM_ARN_MAX} characters",
        )
    check_name(check, "workteam_arn", arn)
    check_region(check, arn, Stack.of(scope).region)


def check_region(check: Checker, arn: str, region: str) -> None:
    """Refuse a work team of another Region than the job's, where both are known."""
    match = limits.WORKTEAM_ARN.fullmatch(arn)
    if match is not None and not is_token(region) and match["region"] != region:
        must = f"be in the stack's Region, {region}"
        check.fail("workteam_arn", must, arn, "a work team labels in its own Region only")
