"""One stack with all features that change what a role may do."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from PIL import Image

from cdk_ground_truth import (
    AutomatedLabeling,
    Hardening,
    Images,
    Preflight,
    SemanticSegmentationLabelingJob,
    Workteam,
)

# They are set as in new apps.
CONTEXT = {"@aws-cdk/aws-iam:minimizePolicies": True}
#: A bucket that exists already, listed at deploy.
LISTED = "listed-images"
#: One whose objects are encrypted with a key of its own.
SEALED = "sealed-images"
#: Gets the handler's unanswered events.
DEAD_LETTERS = "DeadLetters"
#: They encrypt messages of the output topic, and of that queue.
TOPIC_KEY, QUEUE_KEY = "TopicKey", "QueueKey"
#: What each job is for.
JOBS = ("Directory", "Bucket", "Automated", "Streaming", "File")


def build(folder: Path, team_arn: str, image_bucket: str, sealed_key_arn: str) -> App:
    """The app; its buckets of images, and the key of the sealed one, exist already."""
    app = App(outdir=str(folder / "cdk.out"), context=CONTEXT)
    stack = Stack(app, "LeastPrivilege")
    team = Workteam.from_workteam_arn(stack, "Team", team_arn)
    names = ("Key", "VolumeKey", "LabelsKey", TOPIC_KEY, QUEUE_KEY)
    key, volume_key, labels_key, topic_key, queue_key = (kms.Key(stack, name) for name in names)
    images = s3.Bucket.from_bucket_name(stack, "Images", image_bucket)
    # Another bucket: who may read all of a bucket has no need of a prefix of it.
    listed = s3.Bucket.from_bucket_name(stack, "Listed", LISTED)
    sealed = s3.Bucket.from_bucket_attributes(
        stack,
        "Sealed",
        bucket_name=SEALED,
        encryption_key=kms.Key.from_key_arn(stack, "SealedKey", sealed_key_arn),
    )
    # A policy of its own in place of the default one, which lets the whole account in.
    topic = sns.Topic(stack, "Topic", enforce_ssl=True)
    labeled = sns.Topic(stack, "Labeled", enforce_ssl=True, master_key=topic_key)
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-0123abcd", availability_zones=["a"], private_subnet_ids=["subnet-0123abcd"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123abcd")
    dead_letters = sqs.Queue(stack, DEAD_LETTERS, encryption_master_key=queue_key)
    Hardening(vpc=vpc, security_groups=(group,), dead_letter_queue=dead_letters).apply_to(stack)
    photos = folder / "photos"
    photos.mkdir()
    (photos / "one.png").write_bytes(picture(1))

    manifest = folder / "images.manifest"
    manifest.write_text(manifest_of(SEALED))

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
        # Two pictures are enough for what is shown here.
        preflight=Preflight(skip=["image-exists", "manifest-count"]),
    )
    job("Streaming", Images.from_topic(topic, image_buckets=[images]), output_topic=labeled)
    job(
        "File",
        Images.from_manifest_file(manifest, image_buckets=[sealed]),
        preflight=Preflight(skip=["image-exists"]),
        # Nothing is staged with this key: a report and a continued manifest are.
        output_bucket=s3.Bucket(stack, "Labels", encryption_key=labels_key),
        encryption_key=labels_key,
    )
    return app


def manifest_of(bucket: str) -> str:
    """Two images of which one is missing: the handler has to know that from one that it may not read."""
    uris = (f"s3://{bucket}/photos/{name}.png" for name in ("a", "missing"))
    return "".join(json.dumps({"source-ref": uri}) + "\n" for uri in uris)


def picture(seed: int) -> bytes:
    """A small picture."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
