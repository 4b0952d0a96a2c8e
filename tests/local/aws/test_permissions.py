"""IAM is enforced: on SageMaker's actions, on passed roles, on keys, on the deploy user."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

JOB = "arn:aws:sagemaker:us-east-1:111122223333:labeling-job"


def allow(action, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def describe(session, name="street"):
    return session.client("sagemaker").describe_labeling_job(LabelingJobName=name)["LabelingJobArn"]


def create(session, name="street", role="arn:aws:iam::111122223333:role/labeler", tags=()):
    return session.client("sagemaker").create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="label-ref",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://b/m"}}},
        OutputConfig={"S3OutputPath": "s3://b/o"},
        RoleArn=role,
        Tags=[{"Key": key, "Value": value} for key, value in tags],
        HumanTaskConfig={
            "WorkteamArn": "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/t",
            "UiConfig": {"UiTemplateS3Uri": "s3://b/t"},
            "TaskTitle": "t",
            "TaskDescription": "d",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 60,
        },
    )


def test_nothing_allowed_nothing_done(user) -> None:
    session = user()
    with pytest.raises(
        ClientError, match=r"AccessDeniedException.*sagemaker:DescribeLabelingJob on resource: .*street"
    ):
        describe(session)


def test_the_service_learns_who_calls(user) -> None:
    session = user(allow("sagemaker:DescribeLabelingJob"))
    assert describe(session) == session.client("sts").get_caller_identity()["Arn"]


def test_permissions_are_scoped_to_the_job(user) -> None:
    session = user(allow("sagemaker:DescribeLabelingJob", f"{JOB}/mine-*"))
    describe(session, "mine-1")
    with pytest.raises(ClientError, match="AccessDenied"):
        describe(session, "yours")


def test_creating_needs_pass_role_for_this_service(user) -> None:
    create_job = allow("sagemaker:CreateLabelingJob")
    role = "arn:aws:iam::111122223333:role/labeler"
    with pytest.raises(ClientError, match=r"iam:PassRole on resource: .*role/labeler"):
        create(user(create_job))
    to_lambda = allow("iam:PassRole", role, StringEquals={"iam:PassedToService": "lambda.amazonaws.com"})
    with pytest.raises(ClientError, match="iam:PassRole"):
        create(user(create_job, to_lambda))
    here = allow("iam:PassRole", role, StringEquals={"iam:PassedToService": "sagemaker.amazonaws.com"})
    create(user(create_job, here))


def test_conditions_on_tags_of_request_and_resource(user) -> None:
    session = user(
        allow("iam:PassRole"),
        allow("sagemaker:CreateLabelingJob", StringEquals={"aws:RequestTag/team": "vision"}),
        allow("sagemaker:DescribeLabelingJob", StringEquals={"aws:ResourceTag/team": "vision"}),
    )
    create(session, tags=[("team", "vision")])
    with pytest.raises(ClientError, match="AccessDenied"):
        create(session, tags=[("team", "sales")])
    describe(session, "tagged-vision")
    with pytest.raises(ClientError, match="AccessDenied"):
        describe(session, "street")


def test_lambda_and_cloudformation_need_pass_role_too(user, admin) -> None:
    role = "arn:aws:iam::111122223333:role/r"
    session = user(allow(["lambda:*", "cloudformation:*"]))
    with pytest.raises(ClientError, match=r"iam:PassRole on resource: .*role/r"):
        session.client("lambda").create_function(
            FunctionName="f", Role=role, Code={"ZipFile": b"x"}, Runtime="python3.11", Handler="a.b"
        )
    with pytest.raises(ClientError, match="iam:PassRole"):
        session.client("cloudformation").create_stack(StackName="s", TemplateBody="{}", RoleARN=role)


def test_the_deploy_user_may_assume_the_cdk_roles_and_nothing_else(aws) -> None:
    session = aws.session("deploy")
    roles = "arn:aws:iam::111122223333:role/cdk-hnb659fds-{}-role-111122223333-us-east-1"
    for name in ("deploy", "file-publishing", "lookup"):
        session.client("sts").assume_role(RoleArn=roles.format(name), RoleSessionName="session")
    for role in (roles.format("cfn-exec"), "arn:aws:iam::111122223333:role/other"):
        with pytest.raises(ClientError, match="AccessDenied"):
            session.client("sts").assume_role(RoleArn=role, RoleSessionName="session")
    for call in (
        lambda: session.client("s3").list_buckets(),
        lambda: session.client("iam").create_user(UserName="x"),
        lambda: session.client("cloudformation").create_stack(StackName="x", TemplateBody="{}"),
        lambda: session.client("lambda").list_functions(),
        lambda: session.client("sagemaker").describe_labeling_job(LabelingJobName="x"),
        lambda: session.client("kms").create_key(),
    ):
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
            call()


@pytest.fixture
def encrypted(admin):
    key = admin.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = admin.client("s3")
    name = f"encrypted-{key[-12:]}"
    s3.create_bucket(Bucket=name)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    s3.put_object(Bucket=name, Key="a", Body=b"secret")
    return name, key


def test_an_encrypted_object_needs_the_key_as_well(user, encrypted) -> None:
    bucket, key = encrypted
    objects = allow(["s3:GetObject", "s3:PutObject"])
    s3 = user(objects).client("s3")
    with pytest.raises(ClientError, match=rf"kms:Decrypt on resource: {key}"):
        s3.get_object(Bucket=bucket, Key="a")
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        s3.put_object(Bucket=bucket, Key="b", Body=b"x")
    s3 = user(objects, allow(["kms:Decrypt", "kms:GenerateDataKey"], key)).client("s3")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"secret"
    s3.put_object(Bucket=bucket, Key="b", Body=b"x")


def test_a_key_named_in_the_request_counts(user, admin, encrypted) -> None:
    _, key = encrypted
    admin.client("s3").create_bucket(Bucket="plain-bucket")
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    s3 = user(allow("s3:PutObject")).client("s3")
    s3.put_object(Bucket="plain-bucket", Key="a", Body=b"x")
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        s3.put_object(Bucket="plain-bucket", Key="a", Body=b"x", **options)


def test_the_key_policy_is_asked(user, admin, encrypted) -> None:
    bucket, key = encrypted
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"{admin.client('sts').get_caller_identity()['Arn']}"},
    }
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Action": "kms:*", "Resource": "*"}]}
    admin.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    s3 = user(allow(["s3:*", "kms:*"])).client("s3")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        s3.get_object(Bucket=bucket, Key="a")


def test_a_bucket_that_wants_tls_is_served(admin) -> None:
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="tls-only")
    everything = {"Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::tls-only/*"}
    deny = {**everything, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    s3.put_object(Bucket="tls-only", Key="a", Body=b"x")


def test_special_characters_of_a_policy_can_be_meant_literally(user, admin) -> None:
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="literal")
    for key in ("a*b?c$d/x", "aXbYc$d/x", "${s3:prefix}/x"):
        s3.put_object(Bucket="literal", Key=key, Body=b"x")
    odd, variable = "a${*}b${?}c${$}d/*", "${$}{s3:prefix}/*"
    session = user(
        *(allow("s3:GetObject", f"arn:aws:s3:::literal/{folder}") for folder in (odd, variable)),
        allow("s3:ListBucket", "arn:aws:s3:::literal", StringLike={"s3:prefix": [odd, variable]}),
    )
    own = session.client("s3")
    for key in ("a*b?c$d/x", "${s3:prefix}/x"):
        assert own.get_object(Bucket="literal", Key=key)["Body"].read() == b"x"
        assert own.list_objects_v2(Bucket="literal", Prefix=key)["KeyCount"] == 1
    for call in (
        lambda: own.get_object(Bucket="literal", Key="aXbYc$d/x"),
        lambda: own.list_objects_v2(Bucket="literal", Prefix="aXbYc$d/"),
        lambda: own.list_objects_v2(Bucket="literal", Prefix="other/"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
