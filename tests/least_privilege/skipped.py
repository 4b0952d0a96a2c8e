"""Checks of preflight that ask for more than the job's own input, and what they alone ask for."""

from __future__ import annotations

CHECKS = ("kms-key", "role-access", "role-trust", "workteam", "workteam-members")
ACTIONS = frozenset(
    (
        "cognito-idp:ListUsersInGroup",
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "s3:GetBucketPolicy",
        "s3:GetEncryptionConfiguration",
        "sagemaker:DescribeWorkteam",
    )
)
#: Nor is this asked where a ceiling alone is to be held.
OF_BUCKETS = frozenset(("s3:GetBucketCORS", "s3:GetBucketLocation"))
