"""What stands in everybody's stacks beside a job: the CDK's own custom resources, deployed and destroyed."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from aws_cdk import aws_sns as sns
from aws_cdk import custom_resources as custom

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from tests.e2e.conftest import LABELS, Deployer

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("e2e-main")]


def everyday(stack, photos) -> None:
    """Each of the CDK's helpers once."""
    bucket = s3.Bucket(
        stack,
        "Bucket",
        bucket_name="everyday-bucket",
        auto_delete_objects=True,
        removal_policy=RemovalPolicy.DESTROY,
    )
    sources = [
        deployment.Source.asset(str(photos)),
        deployment.Source.data("hello.txt", "hello from the template"),
    ]
    deployment.BucketDeployment(
        stack, "Upload", sources=sources, destination_bucket=bucket, destination_key_prefix="photos/"
    )
    topic = sns.Topic(stack, "Topic")
    call = custom.AwsSdkCall(
        service="SNS",
        action="setTopicAttributes",
        parameters={
            "TopicArn": topic.topic_arn,
            "AttributeName": "DisplayName",
            "AttributeValue": "by the SDK",
        },
        physical_resource_id=custom.PhysicalResourceId.of("display-name"),
    )
    custom.AwsCustomResource(
        stack,
        "Call",
        on_update=call,
        install_latest_aws_sdk=False,
        policy=custom.AwsCustomResourcePolicy.from_sdk_calls(resources=[topic.topic_arn]),
    )
    lambda_.Function(
        stack,
        "Function",
        function_name="everyday",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context):\n    return 1\n"),
        log_retention=logs.RetentionDays.ONE_WEEK,
    )


def test_the_cdks_own_custom_resources_run_beside_a_job(
    deployer: Deployer, aws_session, sagemaker: Any, photos: Any
) -> None:
    def build(stack, team):
        everyday(stack, photos)
        return SemanticSegmentationLabelingJob(
            stack, "Job", images=Images.from_directory(photos), labels=LABELS, workteam=team
        )

    outputs = deployer("Everyday", build)
    client = aws_session.client("s3")
    keys = [each["Key"] for each in client.list_objects_v2(Bucket="everyday-bucket")["Contents"]]
    assert keys == ["photos/a.png", "photos/b.png", "photos/hello.txt"]
    body = client.get_object(Bucket="everyday-bucket", Key="photos/hello.txt")["Body"].read()
    assert body == b"hello from the template"
    notices = aws_session.client("sns")
    names = [
        notices.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"].get("DisplayName")
        for topic in notices.list_topics()["Topics"]
    ]
    assert "by the SDK" in names
    groups = aws_session.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/everyday")
    assert [group["retentionInDays"] for group in groups["logGroups"]] == [7]
    name = outputs["JobName"]
    assert sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"] == "InProgress"

    deployer.destroy("Everyday")
    buckets = [each["Name"] for each in client.list_buckets()["Buckets"]]
    assert "everyday-bucket" not in buckets
    assert sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"] == "Stopped"
