"""A directory of as many images as a job takes, really deployed: one asset, all images labeled from S3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration

from cdk_ground_truth import Images, Preflight, SemanticSegmentationLabelingJob
from labeling_job.limits import OBJECTS_MAX
from tests.e2e.conftest import LABELS, Deployer, picture

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(1_800), pytest.mark.xdist_group("many-images")]


def test_20000_files_are_deployed(deployer: Deployer, sagemaker: Any, tmp_path: Path) -> None:
    body = picture("a", (12, 8))
    for number in range(OBJECTS_MAX):
        (tmp_path / f"{number:05}.png").write_bytes(body)

    def build(stack, team):
        return SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_directory(tmp_path),
            labels=LABELS,
            workteam=team,
            preflight=Preflight(image_time=Duration.minutes(10)),
        )

    outputs = deployer("ManyImages", build)
    job = sagemaker.describe_labeling_job(LabelingJobName=outputs["JobName"])
    assert job["LabelingJobStatus"] == "InProgress"
    bucket, key = job["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"][5:].split("/", 1)
    client = deployer.aws.session().client("s3")
    lines = client.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
    names = [json.loads(line)["source-ref"].rpartition("/")[2] for line in lines]
    assert names == [f"{number:05}.png" for number in range(OBJECTS_MAX)]
