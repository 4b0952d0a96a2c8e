"""The custom resource's handler: one function for all jobs of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from ._rooms import LAMBDA_DIR, contract
from .buckets import BucketUse
from .execution_role import RESOURCES_PER_STATEMENT
from .hardening import VPC_WHY
from .iam_text import literal
from .nag import acknowledge

if TYPE_CHECKING:
    from .stack_shared import StackShared

_NO_CODE: Final = ("**/__pycache__", "**/*.pyc", "**/tests", "**/.*")
#: Below `inputs/` of a bucket is what the handler stages.
STAGING_ROOT = "inputs"

_RUNTIME_WHY: Final = "The newest runtime of Lambda's on which this handler's own tests have been run."
#: Below a job's output path: manifests that take over labels, where the app's own manifest names the images.
CONTINUED: Final = "continued"
CONTINUED_WHY: Final = "Manifests that this handler alone writes: names come from the jobs."
_CONTINUE_WHY: Final = "The output manifests of the stack's jobs, whose names are made at deploy time."

STAGED_WHY: Final = f"Objects below {STAGING_ROOT}/, where this handler alone stages jobs' input."


def staged_objects(bucket: BucketUse) -> str:
    """What the handler stages in a bucket, for all jobs."""
    return f"{bucket.arn}/{STAGING_ROOT}/*"


@dataclass(frozen=True, kw_only=True)
class HandlerKind:
    """What a handler is for.

    Attributes:
        entry: the function's.
        description: the function's.
        exclude: what of the code it doesn't need.
        options: of the function, beside the defaults.
        answers_for_jobs: whether its custom resources are single jobs, which change tags, are found again and
            follow what becomes of their stack.
    """

    entry: str
    description: str
    exclude: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    answers_for_jobs: bool = True


#: The handler of a stack's single jobs.
OF_JOBS: Final = HandlerKind(
    entry="labeling_job.entry.handler",
    description="Creates, replaces and stops the stack's Ground Truth labeling jobs",
    exclude=("labeling_campaign", "labeling_job/campaign.py"),
)


class Handler:
    """The handler's function with a role that can do what the stack's jobs need, and no more."""

    def __init__(self, scope: Construct, shared: StackShared, kind: HandlerKind = OF_JOBS) -> None:
        hardening = shared.hardening
        self.role = iam.Role(scope, "HandlerRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group = logs.LogGroup(
            scope,
            "HandlerLogs",
            # Says who made and stopped which job, also when the stack is gone.
            removal_policy=RemovalPolicy.RETAIN,
            **{"retention": logs.RetentionDays.ONE_YEAR, **hardening.log_options()},
        )
        self.function = lambda_.Function(
            scope,
            "Handler",
            description=kind.description,
            # The handler's tests run on this one, too: `make pythons`.
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler=kind.entry,
            code=lambda_.Code.from_asset(str(LAMBDA_DIR), exclude=[*_NO_CODE, *kind.exclude]),
            role=self.role,
            log_group=self.log_group,
            # The longest that Lambda has: 20,000 photos are copied one by one.
            timeout=Duration.minutes(15),
            **{"memory_size": 1024, **kind.options, **hardening.function_options(self.role)},
        )
        acknowledge(self.function, {"AwsSolutions-L1": _RUNTIME_WHY})
        self.service_token = self.function.function_arn
        #: Resources with a wildcard, and why.
        self.wildcards: dict[str, str] = {}
        #: Statement's name and actions → resources → the statement that each is in.
        self._growing: dict[tuple[str, ...], dict[str, iam.PolicyStatement]] = {}
        self._staged: set[str] = set()
        self._listed: set[str] = set()
        self._keys: set[kms.IKey] = set()
        jobs = f"arn:{shared.partition}:sagemaker:{shared.region}:{shared.account}:labeling-job/*"
        self._allow_jobs(jobs)
        if kind.answers_for_jobs:
            self._allow_answers(jobs)
        if hardening.vpc is not None:
            self.wildcards["*"] = f"{self.wildcards.get('*', '')} {VPC_WHY}".strip()
        self._allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])
        shared.acknowledge_wildcards(self.role, self.wildcards)
        shared.hold_to_quota(self.role)

    def allow_passing(self, role_arn: str) -> None:
        """Let the handler give a job its execution role."""
        self._extend(
            "PassExecutionRole",
            role_arn,
            ["iam:PassRole"],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )

    def allow_reading(self, object_arn: str, why: str = "") -> None:
        """Let the handler read an archive or an earlier job's output; ``why`` bounds a wildcard."""
        self.allow_on("ReadArchive", object_arn, ["s3:GetObject"], why)

    def allow_listing(self, bucket: BucketUse, prefix: str) -> None:
        """Let the handler find the images under a prefix."""
        self._allow(
            ["s3:ListBucket"],
            [bucket.arn],
            {"StringLike": {"s3:prefix": f"{literal(prefix)}*"}} if prefix else None,
        )

    def allow_staging(self, bucket: BucketUse, *, listing: bool) -> None:
        """Let the handler write below `inputs/` of a bucket, and list what an earlier run wrote."""
        if listing and bucket.arn not in self._listed:
            self._listed.add(bucket.arn)
            self._allow(["s3:ListBucket"], [bucket.arn], {"StringLike": {"s3:prefix": f"{STAGING_ROOT}/*"}})
        if bucket.arn in self._staged:
            return
        self._staged.add(bucket.arn)
        objects = staged_objects(bucket)
        self.wildcards[objects] = STAGED_WHY
        self._allow(["s3:PutObject"], [objects])
        if bucket.key is not None:
            self.allow_key(bucket.key)

    def allow_continuing(self, output: BucketUse, folder: str, *, writing: bool) -> None:
        """Let the handler read what a job has labeled, for the job that an update puts in its place.

        Args:
            output: Where the jobs' output is.
            folder: Below it are the jobs.
            writing: Whether the new job's manifest goes there too, as the user's own is not to be changed.
        """
        manifests = f"{output.arn}/{folder}/*/manifests/output/output.manifest"
        self.allow_on("ContinueLabels", manifests, ["s3:GetObject"], _CONTINUE_WHY)
        # Without it S3 answers "denied" where a job has written no output yet.
        self.allow_on("ContinueMissing", output.arn, ["s3:ListBucket"])
        if writing:
            self.allow_on(
                "ContinueManifest", f"{output.arn}/{folder}/{CONTINUED}/*", ["s3:PutObject"], CONTINUED_WHY
            )
            if output.key is not None:
                self.allow_key(output.key)

    def allow_key(self, key: kms.IKey) -> None:
        """Let the handler write objects to a bucket that the key encrypts."""
        if key not in self._keys:
            self._keys.add(key)
            key.grant(self.role, "kms:GenerateDataKey")

    def allow_on(self, name: str, resource: str, actions: Sequence[str], why: str = "") -> None:
        """Allow actions on one more resource, in the statement of that name and with just these actions.

        Args:
            name: The statement's.
            resource: An ARN.
            actions: Allowed on it; none changes nothing.
            why: Bounds a wildcard in the resource.
        """
        if not actions:
            return
        if why:
            self.wildcards.setdefault(resource, why)
        self._extend(name, resource, actions)

    def _allow_jobs(self, jobs: str) -> None:
        self.wildcards[jobs] = (
            "A job's name is made at deploy time. Creating needs this stack's tag on the request, stopping"
            " and tagging need it on the job, where it never changes; only reading is open to the account's"
            " other jobs."
        )
        named = {f"aws:RequestTag/{contract.TAG_STACK}": Aws.STACK_ID}
        owned = {f"aws:ResourceTag/{contract.TAG_STACK}": Aws.STACK_ID}
        self._allow(["sagemaker:CreateLabelingJob"], [jobs], {"StringEquals": named})
        # Only a job's creation may set it: a job that is there takes no stack's tag but from its own stack.
        by_creation = {"sagemaker:TaggingAction": "CreateLabelingJob"}
        self._allow(["sagemaker:AddTags"], [jobs], {"StringEquals": named | by_creation})
        self._allow(["sagemaker:StopLabelingJob"], [jobs], {"StringEquals": owned})
        self._allow(["sagemaker:DescribeLabelingJob", "sagemaker:ListTags"], [jobs])

    def _allow_answers(self, jobs: str) -> None:
        """Let the handler find its jobs, change their tags and ask where the stack goes."""
        self.wildcards["*"] = "sagemaker:ListLabelingJobs has no resource type; it reads names and states."
        owned = {f"aws:ResourceTag/{contract.TAG_STACK}": Aws.STACK_ID}
        # What proves the ownership never changes. IAM ignores the case of a tag's key in `aws:ResourceTag/…`,
        # so another spelling of it is as good as the key itself, and doesn't change either.
        self._allow(
            ["sagemaker:AddTags", "sagemaker:DeleteTags"],
            [jobs],
            {
                "StringEquals": owned,
                "ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": list(contract.PROOF_TAGS)},
                # For a request without any key, "for all" would hold.
                "Null": {"aws:TagKeys": "false"},
            },
        )
        self._allow(["sagemaker:ListLabelingJobs"], ["*"])
        # So that it makes no job for an operation that CloudFormation has given up on.
        self._allow(["cloudformation:DescribeStackResource", "cloudformation:DescribeStacks"], [Aws.STACK_ID])

    def _allow(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        conditions: Mapping[str, Any] | None = None,
    ) -> iam.PolicyStatement:
        statement = iam.PolicyStatement(
            actions=list(actions), resources=list(resources), conditions=dict(conditions or {})
        )
        self.role.add_to_principal_policy(statement)
        return statement

    def _extend(
        self,
        name: str,
        resource: str,
        actions: Sequence[str],
        conditions: Mapping[str, Any] | None = None,
    ) -> None:
        growing = self._growing.setdefault((name, *actions), {})
        if resource in growing:
            return
        # A statement of bounded size, as the CDK splits a large policy only between statements.
        if len(growing) % RESOURCES_PER_STATEMENT == 0:
            growing[resource] = self._allow(actions, [resource], conditions)
        else:
            growing[resource] = next(reversed(growing.values()))
            growing[resource].add_resources(resource)
