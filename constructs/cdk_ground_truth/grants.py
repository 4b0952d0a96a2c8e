"""Grants on a job's objects in S3, with the keys that encrypt them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .stack_shared import StackShared
from .validation import is_token

GRANT_WARNING_ID = "cdk-ground-truth:grant-not-applied"


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects of a bucket below a folder."""

    bucket: s3.IBucket
    #: This is written as IAM reads it, by `iam_text`; a wildcard in it is the library's own.
    folder: str
    keys: tuple[kms.IKey, ...]
    why: str

    @property
    def arn(self) -> str:
        """All of them, as an ARN with a wildcard."""
        return f"{self.bucket.bucket_arn}/{self.folder}*"

    def advice(self, action: str) -> str:
        """What somebody has to do whose role or bucket isn't this app's."""
        return (
            f"allow the grantee {action} on {self.arn} both in its own account and in the bucket's policy,"
            " and the key's use where there is one"
        )


def is_foreign(grantee: iam.IGrantable, scope: Construct) -> bool:
    """Whether the grantee is known to be in another account, where this app can't give it anything."""
    account = grantee.grant_principal.principal_account
    own = Stack.of(scope).account
    return account is not None and not is_token(account) and not is_token(own) and account != own


def grant_objects(
    grantee: iam.IGrantable, objects: Objects, *, read: bool, foreign: bool
) -> iam.Grant | None:
    """Let somebody read, or write, objects; in another account through the bucket's own policy too.

    None if that policy isn't this app's. (The CDK calls a grant applied whose role it can't change.)
    """
    bucket_arn = objects.bucket.bucket_arn
    grant = iam.Grant.add_to_principal_or_resource(
        grantee=grantee,
        actions=["s3:GetObject"] if read else ["s3:AbortMultipartUpload", "s3:PutObject"],
        resource_arns=[objects.arn],
        resource=objects.bucket,
    )
    if read:
        # Without it a missing object looks like a forbidden one.
        below = {"StringLike": {"s3:prefix": f"{objects.folder}*"}}
        listing = iam.Grant.add_to_principal_or_resource(
            grantee=grantee,
            actions=["s3:ListBucket"],
            resource_arns=[bucket_arn],
            resource=objects.bucket,
            conditions=below if objects.folder else None,
        )
        grant = _both(grant, listing)
    if foreign and objects.bucket.policy is None:
        return None
    for key in objects.keys:
        actions = ["kms:Decrypt"] if read else ["kms:Decrypt", "kms:GenerateDataKey"]
        grant = _both(grant, key.grant(grantee, *actions))
    _acknowledge(grantee, objects)
    return grant


def warn_not_granted(job: Construct, advice: str) -> None:
    """Say at synth time what would otherwise show as AccessDenied."""
    Annotations.of(job).add_warning_v2(
        GRANT_WARNING_ID,
        f"A grant could not be applied: {advice}; then"
        f" Annotations.of(job).acknowledge_warning({GRANT_WARNING_ID!r}).",
    )


def _both(one: iam.Grant, other: iam.Grant) -> iam.Grant:
    # A combined grant counts as applied if one of the two is.
    return one.combine(other) if one.success and other.success else (other if one.success else one)


def _acknowledge(grantee: iam.IGrantable, objects: Objects) -> None:
    """The wildcard is ours, so cdk-nag's finding is ours to explain, also in a role of the user's."""
    principal = grantee.grant_principal
    if isinstance(principal, iam.Role):
        shared = StackShared.of(Stack.of(principal))
        # Checks at synth hang on the scope.
        _ = shared.scope
        shared.acknowledge_wildcards(principal, {objects.arn: objects.why})
