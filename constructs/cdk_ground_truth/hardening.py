"""Opt-in settings for policy packs, where a default would be wrong for most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .execution_role import MESSAGE_KEY_ACTIONS
from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sqs as sqs

# The Lambda Developer Guide asks for these in a VPC; none of them takes a resource before it exists.
_VPC_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
VPC_WHY: Final = "Lambda makes the handler's network interfaces, whose ids nobody knows before."


@dataclass(frozen=True, kw_only=True)
class Hardening:
    """What a stack's shared handler and buckets get beyond the defaults; see `Hardening.apply_to`.

    Args:
        vpc: Where the handler runs. It has to reach SageMaker, S3 (CloudFormation's answers too) and
            CloudFormation from there; for preflight also IAM, KMS and Cognito. Default: outside of a VPC.
        vpc_subnets: Default: the VPC's private subnets.
        security_groups: Default: a new one that lets everything out.
        reserved_concurrent_executions: Kept for the handler out of the account's; a deploy runs one
            for each job. Default: none are kept.
        dead_letter_queue: Gets events that the handler never answered. Default: none; the deploy fails
            with a time-out.
        log_retention: Default: one year.
        log_encryption_key: Encrypts the handler's log; its policy must let CloudWatch Logs use it.
            Default: the service's own key.
        environment_encryption_key: Encrypts the handler's (empty) environment. Default: Lambda's own key.
        server_access_logs_bucket: Gets the access logs of the buckets that are made here. Default: none are
            written.
    """

    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: tuple[ec2.ISecurityGroup, ...] = ()
    reserved_concurrent_executions: int | None = None
    dead_letter_queue: sqs.IQueue | None = None
    log_retention: logs.RetentionDays | None = None
    log_encryption_key: kms.IKey | None = None
    environment_encryption_key: kms.IKey | None = None
    server_access_logs_bucket: s3.IBucket | None = None

    def apply_to(self, stack: Stack) -> None:
        """Use these settings for all labeling jobs of a stack; call it before its first job.

        Raises:
            ValueError: the stack has a job already, or numbers are out of range.
        """
        from .stack_shared import StackShared

        check = Checker(stack.node.path)
        check.integer("reserved_concurrent_executions", self.reserved_concurrent_executions, 1)
        shared = StackShared.of(stack)
        if shared.started:
            check.fail("hardening", "be applied before the stack's first labeling job", self)
        shared.hardening = self

    def function_options(self, role: iam.IRole) -> dict[str, Any]:
        """For the handler's function; its role gets what they need."""
        options: dict[str, Any] = {
            "vpc": self.vpc,
            "vpc_subnets": self.vpc_subnets,
            "security_groups": list(self.security_groups) or None,
            "reserved_concurrent_executions": self.reserved_concurrent_executions,
            "dead_letter_queue": self.dead_letter_queue,
            "environment_encryption": self.environment_encryption_key,
        }
        queue = self.dead_letter_queue
        if queue is not None and queue.encryption_master_key is not None:
            # The CDK lets the function send to the queue, but not use its key.
            queue.encryption_master_key.grant(role, *MESSAGE_KEY_ACTIONS)
        if self.vpc is not None:
            from aws_cdk import aws_iam

            role.add_to_principal_policy(aws_iam.PolicyStatement(actions=list(_VPC_ACTIONS), resources=["*"]))
        return {name: value for name, value in options.items() if value is not None}

    def log_options(self) -> dict[str, Any]:
        """For the handler's log group."""
        options = {"retention": self.log_retention, "encryption_key": self.log_encryption_key}
        return {name: value for name, value in options.items() if value is not None}

    def bucket_options(self, prefix: str) -> dict[str, Any]:
        """For a bucket that is made here; ``prefix`` tells its access logs from the other's."""
        if self.server_access_logs_bucket is None:
            return {}
        return {
            "server_access_logs_bucket": self.server_access_logs_bucket,
            "server_access_logs_prefix": f"{prefix}/",
        }
