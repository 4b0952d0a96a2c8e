"""The way of one stack: deployed, changed, destroyed, deployed again."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Tags

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from tests.e2e.conftest import LABELS, Deployer

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("e2e-main")]


def status(sagemaker, name: str) -> str:
    return sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"]


def test_change_and_destroy_and_deploy_again(
    deployer: Deployer, embedded_aws, sagemaker: Any, photos: Any
) -> None:
    manifests = []

    def deploy(labels, **tags) -> str:
        def build(stack, team):
            job = SemanticSegmentationLabelingJob(
                stack, "Job", images=Images.from_directory(photos), labels=labels, workteam=team
            )
            for key, value in tags.items():
                Tags.of(job).add(key, value)
            return job

        outputs = deployer("Life", build)
        manifests.append(outputs["OutputManifest"])
        return outputs["JobName"]

    first = deploy(LABELS)
    assert status(sagemaker, first) == "InProgress"

    assert deploy(LABELS, team="vision") == first
    arn = sagemaker.describe_labeling_job(LabelingJobName=first)["LabelingJobArn"]
    assert {"Key": "team", "Value": "vision"} in sagemaker.list_tags(ResourceArn=arn)["Tags"]

    second = deploy([*LABELS, "sky"])
    assert second != first
    assert (status(sagemaker, first), status(sagemaker, second)) == ("Stopped", "InProgress")

    deployer.destroy("Life")
    assert status(sagemaker, second) == "Stopped"
    bucket, _, key = manifests[-1].removeprefix("s3://").partition("/")
    assert embedded_aws.session().client("s3").head_object(Bucket=bucket, Key=key)

    third = deploy(LABELS)
    assert third not in (first, second)
    assert status(sagemaker, third) == "InProgress"
