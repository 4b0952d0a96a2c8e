"""Keys that can't be used aren't, and AWS's managed policies grant what they grant on AWS."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

LAMBDA = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA]})
AWS = "arn:aws:iam::aws:policy/"


@pytest.fixture
def bucket(admin):
    name = f"keys-{time.monotonic_ns()}"
    admin.client("s3").create_bucket(Bucket=name)
    return name


def put(admin, bucket, key, name="a") -> None:
    admin.client("s3").put_object(
        Bucket=bucket, Key=name, Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda kms, key: kms.disable_key(KeyId=key), "KMS.DisabledException"),
        (
            lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
            "KMS.KMSInvalidStateException",
        ),
    ],
)
def test_a_key_that_is_switched_off_neither_writes_nor_reads(admin, bucket, spoil, code: str) -> None:
    kms, s3 = admin.client("kms"), admin.client("s3")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    put(admin, bucket, key)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"
    spoil(kms, key)
    for refused in (
        lambda: put(admin, bucket, key, "b"),
        lambda: s3.get_object(Bucket=bucket, Key="a"),
    ):
        with pytest.raises(ClientError) as caught:
            refused()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert key in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "alias/none",
        "arn:aws:kms:us-east-1:111122223333:alias/none",
        "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_a_key_that_does_not_exist_is_named(admin, bucket, key: str) -> None:
    with pytest.raises(ClientError, match="Invalid keyId") as caught:
        put(admin, bucket, key)
    assert caught.value.response["Error"]["Code"] == "KMS.NotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_managed_key_of_s3_is_everybodys(admin, bucket) -> None:
    put(admin, bucket, "alias/aws/s3")
    assert admin.client("s3").get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"


def decisions(admin, policy, *questions):
    """Ask MiniStack's simulator what a role that has only this policy may do."""
    iam, name = admin.client("iam"), f"managed-{time.monotonic_ns()}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=AWS + policy)
    return [
        iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource])[
            "EvaluationResults"
        ][0]["EvalDecision"]
        == "allowed"
        for action, resource in questions
    ]


def test_the_policies_that_the_guide_names_grant_what_they_grant(admin) -> None:
    assert decisions(
        admin,
        "AmazonSageMakerGroundTruthExecution",
        ("s3:GetObject", "arn:aws:s3:::my-sagemaker-bucket/a"),
        ("s3:GetObject", "arn:aws:s3:::photos/a"),
        ("s3:ListBucket", "arn:aws:s3:::photos"),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:432418664414:function:PRE-SemanticSegmentation"),
    ) == [True, False, True, False]
    assert decisions(
        admin,
        "AmazonSageMakerFullAccess",
        ("sagemaker:CreateLabelingJob", "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/a"),
        ("sagemaker:DeleteApp", "arn:aws:sagemaker:us-east-1:111122223333:app/a"),
        ("s3:PutObject", "arn:aws:s3:::photos/a"),
        ("iam:CreateRole", "arn:aws:iam::111122223333:role/a"),
    ) == [True, False, False, False]
    assert decisions(
        admin,
        "service-role/AWSLambdaBasicExecutionRole",
        ("logs:PutLogEvents", "*"),
        ("s3:GetObject", "arn:aws:s3:::photos/a"),
    ) == [True, False]


def test_a_policy_that_does_not_exist_is_attached_by_nobody(admin, stack) -> None:
    iam, missing = admin.client("iam"), f"{AWS}AmazonSageMakerFullAcces"
    iam.create_role(RoleName="attached-to", AssumeRolePolicyDocument=TRUST)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="does not exist or is not attachable"):
        iam.attach_role_policy(RoleName="attached-to", PolicyArn=missing)
    assert iam.list_attached_role_policies(RoleName="attached-to")["AttachedPolicies"] == []
    role = {"AssumeRolePolicyDocument": json.loads(TRUST), "ManagedPolicyArns": [missing]}
    made = stack({"Role": {"Type": "AWS::IAM::Role", "Properties": role}})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "AmazonSageMakerFullAcces does not exist" in made["Reasons"]
