"""The role with which Ground Truth runs a job: the least that the Developer Guide lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicies, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from .validation import Checker

if TYPE_CHECKING:
    from .stack_shared import StackShared

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
# The Developer Guide says that training in a VPC needs these.
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
#: Who sends a message needs these of the key that encrypts the topic or the queue.
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


#: The CDK counts 150 characters for each and 6,000 for a managed policy: three such statements fit in one.
RESOURCES_PER_STATEMENT = 12
#: IAM: 10,240 characters in all inline policies of a role; the rest is for what is granted to it later.
INLINE_SIZE_MAX = 10_240
_INLINE_SIZE = 8_000


@dataclass(kw_only=True)
class Access:
    """What a job's execution role has to reach; the job's parts add to it while it is put together."""

    #: Objects to read, as ARN → why a wildcard in it is bounded.
    read: dict[str, str] = field(default_factory=dict)
    #: Objects to write, likewise.
    write: dict[str, str] = field(default_factory=dict)
    #: Buckets' ARNs. Neither action takes a key, and the service asks for a bucket as a whole.
    buckets: dict[str, None] = field(default_factory=dict)
    #: These hold assets and are shared with others, so nothing is listed there.
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


def execution_role(scope: Construct, access: Access, shared: StackShared, *, identity: str) -> iam.Role:
    """Make a job's role.

    Args:
        scope: The job's construct.
        access: All that the role may do.
        shared: Of the job's stack.
        identity: Part of the logical id: another job gets another role.
    """
    statements, wildcards = _statements(access, shared)
    fits = policy_size(scope, statements) <= _INLINE_SIZE
    role = iam.Role(
        scope,
        f"ExecutionRole{identity}",
        description="With it Ground Truth reads a job's input and writes its labels",
        # The confused deputy of another account is kept out where the service says for whom it acts. Of
        # labeling jobs nothing documents that it does, and the guide's own trust policy has no condition; a
        # plain StringEquals of a key that isn't sent would lock the service out.
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEqualsIfExists": {"aws:SourceAccount": shared.account}},
        ),
        # Inside the role they come with it: it never exists without them, and there is one resource less.
        inline_policies={"LabelingJob": _document(statements)} if fits else {},
    )
    for statement in [] if fits else _in_parts(statements):
        # Here the CDK moves to managed policies what is too much for a role.
        role.add_to_principal_policy(iam.PolicyStatement.from_json(statement))
    # What can't be in the role itself: it names the role, or may go through a key's own policy.
    for key, actions in _keys(access).items():
        key.grant(role, *actions)
    for statement in _late_statements(access, role):
        role.add_to_principal_policy(iam.PolicyStatement.from_json(statement))
    shared.acknowledge_wildcards(role, wildcards)
    shared.hold_to_quota(role)
    return role


def grant_to(
    scope: Construct,
    role: iam.IRole,
    access: Access,
    shared: StackShared,
    *,
    check: Checker,
    identity: str,
) -> iam.Policy:
    """Add the same permissions to a role that the user brings, in a policy of the job's own.

    An imported role that can't be changed stays as it is, by the CDK's own rules.

    Raises:
        ValueError: a role has no room for so many buckets.
    """
    statements, wildcards = _statements(access, shared)
    statements += [
        _allow("", list(actions), [key.key_arn]) for key, actions in _keys(access).items()
    ] + _late_statements(access, role)
    size = policy_size(scope, statements)
    if size > INLINE_SIZE_MAX:
        advice = (
            "leave role out, as the job's own role takes managed policies, or let a job have fewer buckets"
        )
        must = f"take a policy of {size:,} characters, and IAM allows {INLINE_SIZE_MAX:,} in a role"
        check.fail("role", f"not have to {must}", role.node.path, advice)
    policy = iam.Policy(scope, f"RolePolicy{identity}", document=_document(statements))
    # The policy's own method would change an immutable role as well.
    role.attach_inline_policy(policy)
    shared.acknowledge_wildcards(policy, wildcards)
    return policy


def policy_size(scope: Construct, statements: list[dict[str, Any]]) -> int:
    """About how many characters a policy has; references count with their written form, which is longer."""
    return len(json.dumps(Stack.of(scope).resolve(statements), separators=(",", ":")))


def _in_parts(statements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The statements with few resources each, as policies are split only between statements."""
    for statement in statements:
        resources = statement["Resource"]
        for start in range(0, len(resources), RESOURCES_PER_STATEMENT):
            part = {**statement, "Resource": resources[start : start + RESOURCES_PER_STATEMENT]}
            # An id must be the only one of its kind in a policy.
            yield {key: value for key, value in part.items() if key != "Sid"}


def keep(*constructs: IConstruct) -> None:
    """Let what a retained job needs outlive the stack, unless the deploy that made it fails."""
    for construct in constructs:
        RemovalPolicies.of(construct).retain_on_update_or_delete()


def _document(statements: list[dict[str, Any]]) -> iam.PolicyDocument:
    return iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})


def _keys(access: Access) -> dict[kms.IKey, tuple[str, ...]]:
    """Key → what the role does with it."""
    keys: dict[kms.IKey, tuple[str, ...]] = dict.fromkeys(access.input_keys, ("kms:Decrypt",))
    topic = access.output_topic
    if topic is not None and topic.master_key is not None:
        # The topic's own method allows all actions which begin with kms:GenerateDataKey.
        keys[topic.master_key] = MESSAGE_KEY_ACTIONS
    keys |= dict.fromkeys(access.keys, _KEY_ACTIONS)
    if access.volume_key is not None:
        keys[access.volume_key] = _KEY_ACTIONS
    return keys


def _late_statements(access: Access, role: iam.IRole) -> list[dict[str, Any]]:
    """What a role can't hold in itself, as it names the role, and what else belongs to it."""
    found = []
    if access.volume_key is not None:
        for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        found.append(_allow("", ["kms:CreateGrant"], [access.volume_key.key_arn], for_aws))
    if access.output_topic is not None:
        found.append(_allow("", ["sns:Publish"], [access.output_topic.topic_arn]))
    if access.automated:
        to_itself = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        found.append(_allow("", ["iam:PassRole"], [role.role_arn], to_itself))
    return found


def _statements(access: Access, shared: StackShared) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What the role may do; and its resources with a wildcard, and why each is bounded."""
    partition, region, account = shared.partition, shared.region, shared.account
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
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return ({"Sid": sid} if sid else {}) | statement | ({"Condition": conditions} if conditions else {})
