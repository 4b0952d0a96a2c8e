"""What the construct writes is what the handler reads, and what the service takes."""

from __future__ import annotations

import re
from collections.abc import Callable

import botocore.session
import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from botocore.validate import ParamValidator

from cdk_ground_truth import AutomatedLabeling, Images, SemanticSegmentationLabelingJob, StoppingConditions
from cdk_ground_truth._rooms import contract
from labeling_job.request_fields import REQUEST_FIELDS
from tests.constructs.conftest import Synthesized

MODEL = botocore.session.get_session().get_service_model("sagemaker")
SHAPE = MODEL.operation_model("CreateLabelingJob").input_shape
#: The handler's own, and the dead ones: Mechanical Turk's price, and the human-task UIs of other task types.
NOT_OURS = {"LabelingJobName", "Tags", "HumanTaskConfig.UiConfig.HumanTaskUiArn"}


def members(shape, path=""):
    for name, member in shape.members.items():
        where = f"{path}{name}"
        if member.type_name == "structure":
            yield from members(member, f"{where}.")
        else:
            yield where, member


def leaves(value, path=""):
    for name, member in value.items():
        if isinstance(member, dict):
            yield from leaves(member, f"{path}{name}.")
        else:
            yield f"{path}{name}", member


def check(request) -> None:
    """Botocore's own check, and the patterns, which botocore leaves to the service."""
    report = ParamValidator().validate(request, SHAPE)
    assert not report.has_errors(), report.generate_report()
    shapes = dict(members(SHAPE))
    for path, value in leaves({k: v for k, v in request.items() if k != "Tags"}):
        shape = shapes[path]
        for item in value if isinstance(value, list) else [value]:
            metadata = (shape.member if isinstance(value, list) else shape).metadata
            if "pattern" in metadata:
                assert re.fullmatch(metadata["pattern"], item), (path, item)
            if "enum" in metadata:
                assert item in metadata["enum"]
            size = len(item) if isinstance(item, str) else item
            assert metadata.get("min", 0) <= size <= metadata.get("max", size)


def request_of(template):
    """What the handler makes of the properties."""
    job = contract.parse(template.delivered())
    request = {**job.request, "LabelingJobName": f"{job.job_name_prefix}-0123abcd-89abcdef"}
    if job.images.source != contract.SOURCE_MANIFEST:
        source = {"S3DataSource": {"ManifestS3Uri": f"{job.images.staging_s3_uri}manifests/x.manifest"}}
        request["InputConfig"] = {**request.get("InputConfig", {}), "DataSource": source}
    request["Tags"] = [{"Key": key, "Value": value} for key, value in job.tags.items()]
    return request


def test_request_fields_are_the_services_live_ones() -> None:
    live = {path for path, _ in members(SHAPE)} - NOT_OURS
    live = {path for path in live if "PublicWorkforceTaskPrice" not in path}
    assert live == set(REQUEST_FIELDS)


def test_with_no_optional_field(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack)
    template = synth(stack)
    request = request_of(template)
    check(request)
    assert request["LabelAttributeName"] == "test-job-ref"
    task = request["HumanTaskConfig"]
    assert task["NumberOfHumanWorkersPerDataObject"] == 3
    assert task["TaskTimeLimitInSeconds"] == 3600
    assert "TaskAvailabilityLifetimeInSeconds" not in task and "MaxConcurrentTaskCount" not in task
    assert set(request["OutputConfig"]) == {"S3OutputPath"}
    job = contract.parse(template.delivered())
    assert job.images.source == "Directory" and job.images.archive_s3_uri.endswith(".zip")
    assert job.tags == {}


def test_with_every_optional_field(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    key = kms.Key(stack, "Key")
    topic = sns.Topic(stack, "Topic")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], private_subnet_ids=["subnet-1"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    model = "arn:aws:sagemaker:eu-west-1:111122223333:model/earlier"
    add_job(
        stack,
        task_title="Streets",
        task_description="Paint streets",
        task_keywords=["street scenes", "cars"],
        number_of_human_workers_per_data_object=5,
        task_time_limit=Duration.minutes(45),
        task_availability_lifetime=Duration.days(2),
        max_concurrent_task_count=50,
        stopping_conditions=StoppingConditions(
            max_human_labeled_object_count=10, max_percentage_of_input_dataset_labeled=80
        ),
        label_attribute_name="streets-ref",
        job_name_prefix="streets",
        content_classifiers=["FreeOfAdultContent", "FreeOfPersonallyIdentifiableInformation"],
        automated_labeling=AutomatedLabeling(
            initial_model_arn=model,
            volume_encryption_key=key,
            subnets=vpc.private_subnets,
            security_groups=[group],
        ),
        output_topic=topic,
        tags={"team": "vision"},
        output_prefix="finished/labels",
        encryption_key=key,
    )
    request = request_of(synth(stack))
    check(request)
    assert {path for path, _ in leaves(request)} == set(REQUEST_FIELDS) - {
        "InputConfig.DataSource.SnsDataSource.SnsTopicArn"
    } | {"LabelingJobName", "Tags"}
    assert request["StoppingConditions"] == {
        "MaxHumanLabeledObjectCount": 10,
        "MaxPercentageOfInputDatasetLabeled": 80,
    }
    assert request["HumanTaskConfig"]["TaskTimeLimitInSeconds"] == 2700
    assert request["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] == 172_800
    assert request["HumanTaskConfig"]["TaskKeywords"] == ["street scenes", "cars"]
    assert request["OutputConfig"]["S3OutputPath"].endswith("/finished/labels")
    assert request["OutputConfig"]["KmsKeyId"].startswith("arn:aws:kms:")
    algorithms = request["LabelingJobAlgorithmsConfig"]
    assert algorithms["InitialActiveLearningModelArn"] == model
    assert algorithms["LabelingJobResourceConfig"]["VpcConfig"] == {
        "SecurityGroupIds": ["sg-1"],
        "Subnets": ["subnet-1"],
    }
    assert request["Tags"] == [{"Key": "team", "Value": "vision"}]


@pytest.mark.parametrize("source", ["bucket", "manifest", "topic", "topic with manifest"])
def test_from_every_source(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    source: str,
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    topic = sns.Topic(stack, "Topic")
    manifest = Images.from_manifest(bucket, "in/my.manifest")
    images = {
        "bucket": Images.from_bucket(bucket, prefix="photos/"),
        "manifest": manifest,
        "topic": Images.from_topic(topic, image_buckets=[bucket]),
        "topic with manifest": Images.from_topic(topic, image_buckets=[bucket], manifest=manifest),
    }[source]
    add_job(stack, images=images, output_topic=topic)
    request = request_of(synth(stack))
    check(request)
    sources = request["InputConfig"]["DataSource"]
    assert set(sources) == {"SnsDataSource" if "topic" in source else "S3DataSource"} | (
        {"S3DataSource"} if "manifest" in source else set()
    )
    if "manifest" in source:
        assert sources["S3DataSource"]["ManifestS3Uri"] == "s3://given/in/my.manifest"
