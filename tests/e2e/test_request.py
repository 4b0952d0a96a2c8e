"""What the service received equals, field by field, what the app asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnOutput, Duration, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ground_truth import (
    AutomatedLabeling,
    Images,
    SemanticSegmentationLabelingJob,
    StoppingConditions,
)
from tests.e2e.conftest import LABELS, Deployer

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("e2e-request")]
FUNCTIONS = "arn:aws:lambda:us-east-1:432418664414:function"
ACCOUNT = "111122223333"
OWN_TAGS = {"stack-id", "logical-id", "request-id", "fingerprint", "objects", "tasks", "cost", "warnings"}


def received(sagemaker, name: str) -> dict:
    """The job as described, without what only the service knows."""
    job = sagemaker.describe_labeling_job(LabelingJobName=name)
    own = (
        "LabelingJobStatus",
        "LabelCounters",
        "CreationTime",
        "LastModifiedTime",
        "JobReferenceCode",
        "LabelingJobArn",
        "LabelingJobOutput",
        "ResponseMetadata",
    )
    arn = job["LabelingJobArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    return {**{key: value for key, value in job.items() if key not in own}, "Tags": tags}


def without_own_tags(request: dict) -> dict:
    own = {key for key in request["Tags"] if key.startswith("cdk-ground-truth:")}
    assert {key.partition(":")[2] for key in own} == OWN_TAGS
    return {**request, "Tags": {key: value for key, value in request["Tags"].items() if key not in own}}


def test_with_no_optional_field(deployer: Deployer, sagemaker: Any, photos: Any) -> None:
    outputs = deployer(
        "Defaults",
        lambda stack, team: SemanticSegmentationLabelingJob(
            stack, "Job", images=Images.from_directory(photos), labels=LABELS, workteam=team
        ),
    )
    name = outputs["JobName"]
    request = without_own_tags(received(sagemaker, name))
    assets = f"s3://cdk-hnb659fds-assets-{ACCOUNT}-us-east-1/"
    output = request["OutputConfig"]["S3OutputPath"]
    staging = request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    categories, template = request.pop("LabelCategoryConfigS3Uri"), request["HumanTaskConfig"].pop("UiConfig")
    assert categories.startswith(assets) and categories.endswith(".json")
    assert template["UiTemplateS3Uri"].startswith(assets)
    assert request.pop("RoleArn").startswith(f"arn:aws:iam::{ACCOUNT}:role/Defaults-JobExecutionRole")
    assert staging.endswith(f"/inputs/defaults-job/manifests/{name}.manifest")
    assert output.endswith("/labels")
    assert request == {
        "LabelingJobName": name,
        "LabelAttributeName": "defaults-job-ref",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": staging}}},
        # Described, not sent: AWS shows a key that is not given as an empty one.
        "OutputConfig": {"S3OutputPath": output, "KmsKeyId": ""},
        "HumanTaskConfig": {
            "WorkteamArn": deployer.workteam_arn,
            "PreHumanTaskLambdaArn": f"{FUNCTIONS}:PRE-SemanticSegmentation",
            "TaskTitle": "Semantic segmentation",
            "TaskDescription": request["HumanTaskConfig"]["TaskDescription"],
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 3600,
            # Not sent: the service's documented defaults, which it describes.
            "TaskAvailabilityLifetimeInSeconds": 2_592_000,
            "MaxConcurrentTaskCount": 1_000,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": f"{FUNCTIONS}:ACS-SemanticSegmentation"
            },
        },
        "Tags": {},
    }
    assert outputs["OutputManifest"] == f"{output}/{name}/manifests/output/output.manifest"


def test_with_every_optional_field(
    deployer: Deployer, sagemaker: Any, photo_bucket: Callable[..., str]
) -> None:
    photo_bucket("every-field-photos", count=1250)

    def build(stack, team):
        key = kms.Key(stack, "Key")
        volume_key = kms.Key(stack, "VolumeKey")
        topic = sns.Topic(stack, "Labeled")
        job = SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_bucket(
                s3.Bucket.from_bucket_name(stack, "Photos", "every-field-photos"), prefix="photos/"
            ),
            labels=LABELS,
            workteam=team,
            task_title="Streets of 2026",
            task_description="Paint what a car has to know.",
            task_keywords=["streets", "semantic segmentation"],
            number_of_human_workers_per_data_object=2,
            task_time_limit=Duration.minutes(20),
            task_availability_lifetime=Duration.days(10),
            max_concurrent_task_count=250,
            stopping_conditions=StoppingConditions(
                max_human_labeled_object_count=1000, max_percentage_of_input_dataset_labeled=90
            ),
            label_attribute_name="streets-ref",
            job_name_prefix="streets",
            content_classifiers=["FreeOfAdultContent", "FreeOfPersonallyIdentifiableInformation"],
            automated_labeling=AutomatedLabeling(
                initial_model_arn=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/earlier",
                volume_encryption_key=volume_key,
                subnets=[ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-0123456789abcdef0")],
                security_groups=[
                    ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
                ],
            ),
            output_topic=topic,
            tags={"team": "vision"},
            output_prefix="team/labels",
            encryption_key=key,
        )
        Tags.of(job).add("project", "streets")
        CfnOutput(stack, "Warnings", value=job.preflight_warnings)
        return job

    outputs = deployer("Everything", build)
    name = outputs["JobName"]
    # Automated labeling of so few objects is advised against, and the deploy succeeds all the same.
    assert re.match(rf"1, see s3://\S+/team/labels/preflight/{name}\.json or Pref", outputs["Warnings"])
    request = without_own_tags(received(sagemaker, name))
    resources = request["LabelingJobAlgorithmsConfig"]["LabelingJobResourceConfig"]
    keys = {request["OutputConfig"].pop("KmsKeyId"), resources.pop("VolumeKmsKeyId")}
    assert len(keys) == 2
    assert all(arn.startswith(f"arn:aws:kms:us-east-1:{ACCOUNT}:key/") for arn in keys)
    topic = request["OutputConfig"].pop("SnsTopicArn")
    assert topic.startswith(f"arn:aws:sns:us-east-1:{ACCOUNT}:")
    output = request["OutputConfig"].pop("S3OutputPath")
    assert output.endswith("/team/labels")
    manifest = request["InputConfig"]["DataSource"]["S3DataSource"].pop("ManifestS3Uri")
    assert manifest.endswith(f"/inputs/streets/manifests/{name}.manifest")
    for made_at_deploy in ("RoleArn", "LabelCategoryConfigS3Uri"):
        assert request.pop(made_at_deploy)
    assert request["HumanTaskConfig"].pop("UiConfig")["UiTemplateS3Uri"].startswith("s3://")
    assert request == {
        "LabelingJobName": name,
        "LabelAttributeName": "streets-ref",
        "InputConfig": {
            "DataSource": {"S3DataSource": {}},
            "DataAttributes": {
                "ContentClassifiers": ["FreeOfAdultContent", "FreeOfPersonallyIdentifiableInformation"]
            },
        },
        "OutputConfig": {},
        "StoppingConditions": {
            "MaxHumanLabeledObjectCount": 1000,
            "MaxPercentageOfInputDatasetLabeled": 90,
        },
        "LabelingJobAlgorithmsConfig": {
            "LabelingJobAlgorithmSpecificationArn": (
                "arn:aws:sagemaker:us-east-1:027400017018"
                ":labeling-job-algorithm-specification/semantic-segmentation"
            ),
            "InitialActiveLearningModelArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/earlier",
            "LabelingJobResourceConfig": {
                "VpcConfig": {
                    "SecurityGroupIds": ["sg-0123456789abcdef0"],
                    "Subnets": ["subnet-0123456789abcdef0"],
                }
            },
        },
        "HumanTaskConfig": {
            "WorkteamArn": deployer.workteam_arn,
            "PreHumanTaskLambdaArn": f"{FUNCTIONS}:PRE-SemanticSegmentation",
            "TaskKeywords": ["streets", "semantic segmentation"],
            "TaskTitle": "Streets of 2026",
            "TaskDescription": "Paint what a car has to know.",
            "NumberOfHumanWorkersPerDataObject": 2,
            "TaskTimeLimitInSeconds": 1200,
            "TaskAvailabilityLifetimeInSeconds": 864_000,
            "MaxConcurrentTaskCount": 250,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": f"{FUNCTIONS}:ACS-SemanticSegmentation"
            },
        },
        "Tags": {"team": "vision", "project": "streets"},
    }
