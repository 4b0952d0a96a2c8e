"""IAM and S3's configuration that spread late: for so long, and no longer, all is as before."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from ground_truth_local.server import EmbeddedAws
from ground_truth_local.session import GatewaySession

SERVICE = "stub_service:StubService"
SECONDS = 1.5


@pytest.fixture(scope="module")
def late(stub_on_path):
    with EmbeddedAws(service=SERVICE, iam_spread_seconds=SECONDS, s3_spread_seconds=SECONDS) as aws:
        yield aws


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def seconds_until(call):
    """How long a call is refused; its answer must not change again."""
    start = time.monotonic()
    while time.monotonic() - start < 10 * SECONDS:
        try:
            call()
        except ClientError:
            time.sleep(0.05)
            continue
        took = time.monotonic() - start
        call()
        return took
    raise AssertionError("it is still refused")


def assumed(aws, arn):
    found = aws.session().client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return GatewaySession(
        aws.endpoint_url,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
        region_name=aws.region,
    )


def test_roles_that_were_there_before_work(late) -> None:
    arn = f"arn:aws:iam::{late.account}:role/cdk-hnb659fds-lookup-role-{late.account}-{late.region}"
    assert (
        assumed(late, arn)
        .client("s3")
        .list_objects_v2(Bucket=f"cdk-hnb659fds-assets-{late.account}-{late.region}")
    )


def test_a_new_role_its_trust_and_its_policies_work_later(late) -> None:
    iam, user = late.session().client("iam"), f"arn:aws:iam::{late.account}:user/administrator"
    # It spreads from here on, also while the next calls are made.
    began = time.monotonic()
    arn = iam.create_role(
        RoleName="late", AssumeRolePolicyDocument=document(Action="sts:AssumeRole", Principal={"AWS": user})
    )["Role"]["Arn"]
    # Who reads IAM sees it at once.
    assert iam.get_role(RoleName="late")
    iam.put_role_policy(
        RoleName="late", PolicyName="p", PolicyDocument=document(Action="s3:ListAllMyBuckets", Resource="*")
    )
    assert seconds_until(lambda: assumed(late, arn)) < 3 * SECONDS
    assert time.monotonic() - began > SECONDS / 2
    client = assumed(late, arn).client("s3")
    client.list_buckets()
    iam.delete_role_policy(RoleName="late", PolicyName="p")
    client.list_buckets()
    time.sleep(SECONDS + 0.3)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_buckets()


def test_a_buckets_configuration_is_seen_later(late) -> None:
    s3 = late.session().client("s3")
    s3.create_bucket(Bucket="late-bucket")
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket="late-bucket", CORSConfiguration={"CORSRules": [rule]})
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        s3.get_bucket_cors(Bucket="late-bucket")
    assert SECONDS / 2 < seconds_until(lambda: s3.get_bucket_cors(Bucket="late-bucket")) < 3 * SECONDS
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:PutObject",
                    "Resource": "arn:aws:s3:::late-bucket/*",
                }
            ],
        }
    )
    s3.put_bucket_policy(Bucket="late-bucket", Policy=policy)
    s3.put_object(Bucket="late-bucket", Key="a", Body=b"x")
    time.sleep(SECONDS + 0.1)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="late-bucket", Key="a", Body=b"x")
    s3.delete_bucket_policy(Bucket="late-bucket")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="late-bucket", Key="a", Body=b"x")
    assert seconds_until(lambda: s3.put_object(Bucket="late-bucket", Key="a", Body=b"x")) < 3 * SECONDS
