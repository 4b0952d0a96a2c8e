"""Region → ARNs of the service's own pieces, decided at synth time wherever the Region is known."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Aws, CfnMapping
from constructs import Construct

from ._rooms import limits
from .validation import is_token


@dataclass(frozen=True, kw_only=True)
class ServiceArns:
    """What Ground Truth itself provides for semantic segmentation in one Region."""

    #: Prefix of the ARNs of the built-in functions.
    functions: str
    algorithm_specification_arn: str

    def pre_human_task_lambda_arn(self, task_type: str) -> str:
        """The function that prepares a task."""
        return f"{self.functions}:PRE-{task_type}"

    def annotation_consolidation_lambda_arn(self, task_type: str) -> str:
        """The function that makes one label of several workers' answers."""
        return f"{self.functions}:ACS-{task_type}"


def service_arns(scope: Construct, *, where: str, region: str) -> ServiceArns:
    """Literal ARNs in a known Region, a `CfnMapping` under ``scope`` in a Region-agnostic stack.

    Raises:
        ValueError: Ground Truth doesn't exist in the Region.
    """
    partition = "aws"
    if is_token(region):
        partition = Aws.PARTITION
        mapping = CfnMapping(
            scope,
            "Functions",
            mapping={name: {"Account": account} for name, account in limits.FUNCTION_ACCOUNTS.items()},
        )
        account = mapping.find_in_map(Aws.REGION, "Account")
    elif region in limits.FUNCTION_ACCOUNTS:
        account = limits.FUNCTION_ACCOUNTS[region]
    else:
        raise ValueError(
            f"{where}: the stack's Region must be one of the {len(limits.REGIONS)} that have Ground Truth"
            f" ({', '.join(limits.REGIONS)}), got {region!r}; set env=Environment(region=…) of the stack"
        )
    return ServiceArns(
        functions=f"arn:{partition}:lambda:{region}:{account}:function",
        algorithm_specification_arn=(
            f"arn:{partition}:sagemaker:{region}:{limits.ALGORITHM_ACCOUNT}"
            f":labeling-job-algorithm-specification/{limits.ALGORITHM}"
        ),
    )
