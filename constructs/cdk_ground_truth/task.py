"""Value objects of a job's task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._rooms import limits
from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms


@dataclass(frozen=True, kw_only=True)
class StoppingConditions:
    """Ends a job early: the job stops when one of the conditions is met.

    Args:
        max_human_labeled_object_count: Most objects that people label; at least 1. Default: no such limit.
        max_percentage_of_input_dataset_labeled: Most of the input to label, 1 to 100. Default: no such limit.
    """

    max_human_labeled_object_count: int | None = None
    max_percentage_of_input_dataset_labeled: int | None = None

    def check(self, check: Checker) -> None:
        """Refuse numbers out of range, and conditions that hold nothing."""
        if self == StoppingConditions():
            check.fail("stopping_conditions", "set at least one condition", self, "leave it out for no limit")
        name = "stopping_conditions"
        check.integer(
            f"{name}.max_human_labeled_object_count",
            self.max_human_labeled_object_count,
            limits.HUMAN_LABELED_OBJECTS_MIN,
        )
        check.integer(
            f"{name}.max_percentage_of_input_dataset_labeled",
            self.max_percentage_of_input_dataset_labeled,
            *limits.PERCENTAGE,
        )


@dataclass(frozen=True, kw_only=True)
class AutomatedLabeling:
    """Lets a model that is trained during the job label what it is sure of.

    The service needs 1,250 objects for it and advises 5,000; training and inference cost extra. It fails a
    job when more than 10 % of the first objects fail: those that workers can't see, decline, or leave alone.

    Args:
        initial_model_arn: Start from the model of an earlier job. Default: train from the beginning.
        volume_encryption_key: Encrypts the training instances' volumes. Default: the service's own key.
        subnets: Where training runs, 1 to 16. Default: outside of a VPC.
        security_groups: Of training in a VPC, 1 to 5; needed with ``subnets``.
    """

    initial_model_arn: str | None = None
    volume_encryption_key: kms.IKey | None = None
    subnets: Sequence[ec2.ISubnet] = ()
    security_groups: Sequence[ec2.ISecurityGroup] = ()

    def check(self, check: Checker) -> None:
        """Refuse half a VPC, or what is no model's ARN."""
        if self.initial_model_arn is not None:
            check.text(
                "automated_labeling.initial_model_arn",
                self.initial_model_arn,
                longest=limits.MODEL_ARN_MAX,
                pattern=limits.MODEL_ARN,
                rule="be a SageMaker model's ARN",
            )
        if bool(self.subnets) != bool(self.security_groups):
            check.fail(
                "automated_labeling",
                "have both subnets and security_groups, or neither",
                f"{len(self.subnets)} subnets, {len(self.security_groups)} security groups",
            )
        for name, values, most in (
            ("subnets", self.subnets, limits.SUBNETS_MAX),
            ("security_groups", self.security_groups, limits.SECURITY_GROUPS_MAX),
        ):
            if len(values) > most:
                check.fail(f"automated_labeling.{name}", f"have at most {most} items", len(values))
