"""One stack with all features that change what a role may do."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from PIL import Image

from cdk_ground_truth import (
    AutomatedLabeling,
    Images,
    Preflight,
    SemanticSegmentationLabelingJob,
    Workteam,
)

# As in new apps.
CONTEXT = {"@aws-cdk/aws-iam:minimizePolicies": True}
#: A bucket that exists already, listed at deploy.
LISTED = "listed-images"
#: What each job is for.
JOBS = ("Directory", "Bucket", "Automated", "Streaming")


def build(folder: Path, team_arn: str, image_bucket: str) -> App:
    """The app; ``image_bucket`` exists already and holds pictures."""
    app = App(outdir=str(folder / "cdk.out"), context=CONTEXT)
    stack = Stack(app, "LeastPrivilege")
    team = Workteam.from_workteam_arn(stack, "Team", team_arn)
    key, volume_key = kms.Key(stack, "Key"), kms.Key(stack, "VolumeKey")
    images = s3.Bucket.from_bucket_name(stack, "Images", image_bucket)
    # Another bucket: who may read all of a bucket has no need of a prefix of it.
    listed = s3.Bucket.from_bucket_name(stack, "Listed", LISTED)
    # A policy of its own in place of the default one, which lets the whole account in.
    topic, labeled = (sns.Topic(stack, name, enforce_ssl=True) for name in ("Topic", "Labeled"))
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], private_subnet_ids=["subnet-1"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    photos = folder / "photos"
    photos.mkdir()
    (photos / "one.png").write_bytes(picture(1))

    def job(name: str, source: Images, **options: Any) -> None:
        SemanticSegmentationLabelingJob(
            stack,
            name,
            images=source,
            labels=["road", "building"],
            workteam=team,
            number_of_human_workers_per_data_object=1,
            **options,
        )

    job("Directory", Images.from_directory(photos), encryption_key=key, tags={"team": "vision"})
    job("Bucket", Images.from_bucket(listed, prefix="photos/"), output_topic=labeled)
    job(
        "Automated",
        Images.from_manifest(images, "all.manifest"),
        automated_labeling=AutomatedLabeling(
            volume_encryption_key=volume_key, subnets=vpc.private_subnets, security_groups=[group]
        ),
        # One picture is enough for what is shown here.
        preflight=Preflight(skip=["manifest-count"]),
    )
    job("Streaming", Images.from_topic(topic, image_buckets=[images]), output_topic=labeled)
    return app


def picture(seed: int) -> bytes:
    """A small picture."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
