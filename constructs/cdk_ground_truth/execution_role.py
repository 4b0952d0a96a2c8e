"""The role with which Ground Truth runs a job: the least that the Developer Guide lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

_ANY_METRIC = "cloudwatch:PutMetricData has no resource type; it writes metrics and reads nothing."
_UNSUBSCRIBE_WHY = (
    "sns:Unsubscribe has none either: the service ends the subscription of a stopping streaming job."
)
_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
# Of the Developer Guide: what training in a VPC needs.
_VPC_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
#: Of a key that encrypts a topic's or a queue's messages: what who sends one needs.
MESSAGE_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
_QUEUE_ACTIONS = (
    "sqs:CreateQueue",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "sqs:SetQueueAttributes",
)


@dataclass(kw_only=True)
class Access:
    """What a job's execution role has to reach; the job's parts add to it while it is put together."""

    #: Objects to read, as ARN → why a wildcard in it is bounded.
    read: dict[str, str] = field(default_factory=dict)
    #: Objects to write, likewise.
    write: dict[str, str] = field(default_factory=dict)
    #: Buckets' ARNs. Neither action takes a key, and the service asks for a bucket as a whole.
    buckets: dict[str, None] = field(default_factory=dict)
    #: Those of assets, which others share: nothing is listed there.
    asset_buckets: dict[str, None] = field(default_factory=dict)
    #: Keys with which it writes labels, and those with which it only reads.
    keys: dict[kms.IKey, None] = field(default_factory=dict)
    input_keys: dict[kms.IKey, None] = field(default_factory=dict)
    #: Encrypts the training instances' volumes.
    volume_key: kms.IKey | None = None
    automated: bool = False
    vpc: bool = False
    #: A streaming job's input topic.
    topic_arn: str = ""
    output_topic: sns.ITopic | None = None

    def read_file(self, object_arn: str, bucket_arn: str) -> None:
        """Let the job read one published file; the service asks for its bucket's Region too."""
        self.read[object_arn] = ""
        self.asset_buckets[bucket_arn] = None


def execution_role(
    scope: Construct, access: Access, *, partition: str, region: str, account: str
) -> tuple[iam.Role, dict[str, str]]:
    """Make a job's role; also answers its resources with a wildcard, and why each is bounded."""
    statements, wildcards = _statements(access, partition, region, account)
    role = iam.Role(
        scope,
        "ExecutionRole",
        description="With it Ground Truth reads a job's input and writes its labels",
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
        ),
        # In the role itself: it never exists without its permissions, and there is one resource less.
        inline_policies={
            "LabelingJob": iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})
        },
    )
    _late_grants(role, access)
    return role, wildcards


def grant_to(
    role: iam.IRole, access: Access, *, partition: str, region: str, account: str
) -> list[IDependable]:
    """Add the same permissions to a role that the user brings; what a job has to wait for.

    An imported role that can't be changed stays as it is, by the CDK's own rules.
    """
    statements, _ = _statements(access, partition, region, account)
    added = [role.add_to_principal_policy(iam.PolicyStatement.from_json(each)) for each in statements]
    _late_grants(role, access)
    return [result.policy_dependable for result in added if result.policy_dependable is not None]


def _late_grants(role: iam.IRole, access: Access) -> None:
    """What can't be in the role itself: it names the role, or goes through a key's own policy."""
    for key in access.keys:
        key.grant(role, *_KEY_ACTIONS)
    for key in access.input_keys:
        if key not in access.keys:
            key.grant(role, "kms:Decrypt")
    if access.volume_key is not None:
        access.volume_key.grant(role, *_KEY_ACTIONS)
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["kms:CreateGrant"],
                resources=[access.volume_key.key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        )
    if access.output_topic is not None:
        _grant_publish(access.output_topic, role)
    if access.automated:
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )


def _grant_publish(topic: sns.ITopic, role: iam.IRole) -> None:
    """As the topic's own method, but that allows all actions which begin with kms:GenerateDataKey."""
    iam.Grant.add_to_principal_or_resource(
        grantee=role, actions=["sns:Publish"], resource_arns=[topic.topic_arn], resource=topic
    )
    if topic.master_key is not None:
        topic.master_key.grant(role, *MESSAGE_KEY_ACTIONS)


def _statements(
    access: Access, partition: str, region: str, account: str
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/sagemaker/*"
    wildcards = {arn: why for arn, why in {**access.read, **access.write}.items() if why}
    wildcards |= {"*": _ANY_METRIC, logs: "SageMaker's own log groups, whose streams it names itself."}
    statements = [
        _allow("ReadInput", ["s3:GetObject"], list(access.read)),
        _allow(
            "WriteLabels", ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], list(access.write)
        ),
        _allow("FindBuckets", ["s3:GetBucketLocation", "s3:ListBucket"], list(access.buckets)),
        _allow("FindAssets", ["s3:GetBucketLocation"], list(access.asset_buckets)),
        _allow("Metrics", ["cloudwatch:PutMetricData"], ["*"]),
        _allow(
            "Logs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [logs],
        ),
    ]
    if access.vpc:
        wildcards["*"] += " Network interfaces of training get their ids when it starts."
        statements.append(_allow("TrainInVpc", list(_VPC_ACTIONS), ["*"]))
    if access.topic_arn:
        queues = f"arn:{partition}:sqs:{region}:{account}:*GroundTruth*"
        wildcards[queues] = (
            "Queues that the service itself makes for streaming jobs of this account and Region."
        )
        statements.append(_allow("Queue", list(_QUEUE_ACTIONS), [queues]))
        to_queues = {"StringEquals": {"sns:Protocol": "sqs"}, "StringLike": {"sns:Endpoint": queues}}
        statements.append(_allow("Subscribe", ["sns:Subscribe"], [access.topic_arn], to_queues))
        # When the job stops. The action has no resource type.
        statements.append(_allow("Unsubscribe", ["sns:Unsubscribe"], ["*"]))
        wildcards["*"] += f" {_UNSUBSCRIBE_WHY}"
    return statements, wildcards


def _allow(
    sid: str, actions: list[str], resources: list[str], conditions: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": conditions} if conditions else {})
