"""Each source of images: what goes into the contract, what the roles may read, which files are published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Annotations, App, CfnParameter, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ground_truth import AutomatedLabeling, Images, SemanticSegmentationLabelingJob, StoppingConditions
from tests.constructs.conftest import Synthesized

ROLE = "JobExecutionRole"
HANDLER = "CdkGroundTruthHandlerRole"
INPUT = "arn:aws:s3:::cdkgroundtruthinputbucket61d60493"
CORS_WARNING = "cdk-ground-truth:image-bucket-cors"


def published(template, suffix=""):
    """The staged assets of the cloud assembly."""
    return [path for path in template.directory.glob("asset.*") if path.name.endswith(suffix)]


def test_a_directory_is_one_archive_of_its_images_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack)
    template = synth(stack)
    folders = [path for path in published(template) if path.is_dir() and (path / "one.png").exists()]
    names = {str(file.relative_to(folders[0])) for file in folders[0].rglob("*") if file.is_file()}
    assert names == {"one.png", "sub folder/straße 2.JPG"}
    images = template.delivered()["Images"]
    assert images["Source"] == "Directory"
    assert images["StagingS3Uri"] == "s3://cdkgroundtruthinputbucket61d60493/inputs/test-job/"
    archive = "arn:aws:s3:::" + images["ArchiveS3Uri"].removeprefix("s3://")
    assert archive in template.allowed(HANDLER, "s3:GetObject")
    assert f"{INPUT}/inputs/*" in template.allowed(HANDLER, "s3:PutObject")
    assert f"{INPUT}/inputs/test-job/*" in template.allowed(ROLE, "s3:GetObject")
    assert archive not in template.allowed(ROLE, "s3:GetObject")


def test_a_directory_of_images_alone_needs_no_exclusion(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    photos: Path,
) -> None:
    (photos / "notes.txt").unlink()
    (photos / "link").symlink_to(photos / "sub folder")
    add_job(stack)
    folder = next(path for path in published(synth(stack)) if (path / "one.png").exists())
    assert (folder / "link" / "straße 2.JPG").read_bytes()


def test_a_given_input_bucket_is_staged_to(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "Mine", encryption_key=key)
    job = add_job(stack, input_bucket=bucket)
    assert job.input_bucket is bucket
    template = synth(stack)
    assert template.delivered()["Images"]["StagingS3Uri"].endswith("/inputs/test-job/")
    key_arn = template.resolve(stack.resolve(key.key_arn))
    assert key_arn in template.allowed(HANDLER, "kms:GenerateDataKey")
    # Labels aren't encrypted with it: the job's role reads alone.
    for action in ("DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom"):
        assert key_arn not in template.allowed(ROLE, f"kms:{action}")
    assert key_arn in template.allowed(ROLE, "kms:Decrypt")


def _listing_of_given(template):
    """The one statement that lets the handler list the bucket."""
    (listing,) = [
        each
        for each in template.statements(HANDLER)
        if each["Action"] == "s3:ListBucket" and each["Resource"] == "arn:aws:s3:::given"
    ]
    return listing


def test_a_bucket_is_listed_at_deploy_time_below_its_prefix_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    add_job(stack, images=Images.from_bucket(bucket, prefix="photos/"))
    template = synth(stack)
    assert template.delivered()["Images"]["ImagesS3Uri"] == "s3://given/photos/"
    read = template.allowed(ROLE, "s3:GetObject")
    assert {"arn:aws:s3:::given/photos/*", f"{INPUT}/inputs/test-job/*"} <= read
    listing = _listing_of_given(template)
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "photos/*"}}


def test_a_whole_bucket_is_listed_without_condition(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack, images=Images.from_bucket(s3.Bucket.from_bucket_name(stack, "Given", "given")))
    template = synth(stack)
    assert "Condition" not in _listing_of_given(template)
    assert template.delivered()["Images"]["ImagesS3Uri"] == "s3://given/"


@pytest.mark.parametrize("prefix", ["/photos", "s3://bucket/photos", "a*", "a?"])
def test_a_prefix_that_names_no_keys_is_refused(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], prefix: str
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    with pytest.raises(ValueError, match=r"Test/Job: 'images' must have a prefix like 'photos/'"):
        add_job(stack, images=Images.from_bucket(bucket, prefix=prefix))


def test_a_manifest_in_s3_and_further_buckets(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    buckets = [s3.Bucket.from_bucket_name(stack, name, name.lower()) for name in ("First", "Second")]
    images = Images.from_manifest(buckets[0], "in/a.manifest", image_buckets=buckets[1:])
    add_job(stack, images=images)
    template = synth(stack)
    assert {"arn:aws:s3:::first/*", "arn:aws:s3:::second/*"} <= template.allowed(ROLE, "s3:GetObject")
    # The manifest itself is the user's; what an update takes over goes beside the output.
    beside = template.delivered()["Images"]["StagingS3Uri"]
    assert template.delivered()["Images"] == {"Source": "Manifest", "StagingS3Uri": beside}
    assert beside.endswith("/labels/continued/test-job/")


@pytest.mark.parametrize("key", ["", "/a.manifest", "s3://given/a.manifest"])
def test_a_manifest_key_that_is_none_is_refused(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], key: str
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    with pytest.raises(ValueError, match="name the manifest's key"):
        add_job(stack, images=Images.from_manifest(bucket, key))


def test_a_manifest_file_is_published_and_its_buckets_readable(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    tmp_path: Path,
) -> None:
    lines = [{"source-ref": f"s3://pics/2026/{name}.png"} for name in ("may/a", "june/b")]
    lines.append({"source-ref": "s3://mine/x.png", "note": "kept"})
    manifest = tmp_path / "in.manifest"
    manifest.write_text("\r\n".join(map(json.dumps, lines)) + "\r\n")
    mine = s3.Bucket.from_bucket_name(stack, "Mine", "mine")
    add_job(stack, images=Images.from_manifest_file(manifest, image_buckets=[mine]))
    template = synth(stack)
    (asset,) = published(template, ".manifest")
    assert asset.read_bytes() == manifest.read_bytes()
    uri = template.delivered()["Request"]["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    assert uri.endswith(asset.name.removeprefix("asset."))
    read = template.allowed(ROLE, "s3:GetObject")
    assert {"arn:aws:s3:::pics/2026/*", "arn:aws:s3:::mine/*"} <= read
    assert "arn:aws:s3:::" + uri.removeprefix("s3://") in read


def test_preflight_may_look_at_every_bucket_of_a_manifest_file(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    tmp_path: Path,
) -> None:
    manifest = tmp_path / "in.manifest"
    manifest.write_text('{"source-ref": "s3://pics/a.png"}\n{"source-ref": "s3://given/photos/b.png"}\n')
    # Images and labels side by side in one bucket, which only the manifest names as one of images.
    given = s3.Bucket.from_bucket_name(stack, "Given", "given")
    add_job(stack, images=Images.from_manifest_file(manifest), output_bucket=given)
    template = synth(stack)
    both = {"arn:aws:s3:::pics", "arn:aws:s3:::given"}
    for action in ("GetBucketCORS", "ListBucket"):
        assert template.allowed(HANDLER, f"s3:{action}") == both


def test_a_topic_feeds_a_streaming_job(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    topic, done = sns.Topic(stack, "In"), sns.Topic(stack, "Done")
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    add_job(stack, images=Images.from_topic(topic, image_buckets=[bucket]), output_topic=done)
    template = synth(stack)
    assert "arn:aws:s3:::given/*" in template.allowed(ROLE, "s3:GetObject")
    queues = {"arn:aws:sqs:eu-west-1:444455556666:*GroundTruth*"}
    assert template.allowed(ROLE, "sqs:CreateQueue") == queues
    (subscribe,) = template.allowed(ROLE, "sns:Subscribe")
    (publish,) = template.allowed(ROLE, "sns:Publish")
    assert subscribe.rpartition(":")[2].startswith("In") and publish.rpartition(":")[2].startswith("Done")
    assert template.allowed(ROLE, "sns:Unsubscribe") == {"*"}


def test_a_streaming_job_needs_no_output_topic(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack, images=Images.from_topic(sns.Topic(stack, "In"), image_buckets=[]))
    template = synth(stack)
    assert "SnsTopicArn" not in template.delivered()["Request"]["OutputConfig"]
    assert not template.allowed(ROLE, "sns:Publish")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"automated_labeling": AutomatedLabeling()}, "'automated_labeling' must be left out"),
        (
            {"stopping_conditions": StoppingConditions(max_human_labeled_object_count=1)},
            "'stopping_conditions' must be left out",
        ),
    ],
)
def test_what_a_streaming_job_can_not_have(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], arguments, message: str
) -> None:
    topic = sns.Topic(stack, "In")
    images = Images.from_topic(topic, image_buckets=[])
    with pytest.raises(ValueError, match=message):
        add_job(stack, **({"images": images, "output_topic": topic} | arguments))


def test_a_topic_begins_with_a_manifest_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], photos: Path
) -> None:
    topic = sns.Topic(stack, "In")
    images = Images.from_topic(topic, image_buckets=[], manifest=Images.from_directory(photos))
    with pytest.raises(ValueError, match=r"'manifest' must be Images\.from_manifest"):
        add_job(stack, images=images, output_topic=topic)


@pytest.mark.parametrize(
    ("prefix", "output", "clash"),
    [
        ("", "labels", True),
        ("labels/", "labels", True),
        ("labels/old/", "labels", True),
        ("photos/", "photos/labels", True),
        ("photos/", "labels", False),
        ("label", "labels", True),
    ],
)
def test_output_lies_outside_of_the_input(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    prefix: str,
    output: str,
    clash: bool,
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    arguments = {"images": Images.from_bucket(bucket, prefix=prefix), "output_prefix": output}
    if clash:
        with pytest.raises(ValueError, match="masks would become images"):
            add_job(stack, output_bucket=bucket, **arguments)
    else:
        add_job(stack, output_bucket=bucket, **arguments)


def test_staged_images_clash_with_output_too(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    with pytest.raises(ValueError, match="'output_prefix' must lie outside of the input"):
        add_job(stack, input_bucket=bucket, output_bucket=bucket, output_prefix="inputs")


def warnings_of(job):
    return [each.data for each in job.node.metadata if each.type == "aws:cdk:warning"]


def test_cors_is_set_on_a_bucket_of_the_app_once(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    app = App(outdir=str(tmp_path / "out"))
    home, jobs = Stack(app, "Home"), Stack(app, "Jobs")
    bucket = s3.Bucket(home, "Photos")
    images = Images.from_bucket(bucket, prefix="p/")
    assert not any(warnings_of(add_job(jobs, name, images=images)) for name in ("One", "Two"))
    rules = synth(home).only("AWS::S3::Bucket")["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rules == [
        {
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "ExposedHeaders": ["Access-Control-Allow-Origin"],
        }
    ]


def test_an_imported_bucket_gets_a_warning_that_names_the_fix(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    job = add_job(stack, images=Images.from_bucket(bucket))
    (warning,) = warnings_of(job)
    assert 'put-bucket-cors --bucket given --cors-configuration \'{"CORSRules": [' in warning
    quiet = add_job(stack, "Quiet", images=Images.from_bucket(bucket))
    Annotations.of(quiet).acknowledge_warning(CORS_WARNING)
    assert not warnings_of(quiet)


def test_pictures_that_are_not_taken_are_counted(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], tmp_path: Path
) -> None:
    for name in ("a.jpg", "b.HEIC", "c.heic", "d.webp", "e.jfif", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    job = add_job(stack, images=Images.from_directory(tmp_path))
    (warning,) = warnings_of(job)
    assert f"Of {tmp_path} 2 .heic, 1 .webp, 1 .jfif files are not taken" in warning
    assert "acknowledge_warning('cdk-ground-truth:pictures-not-taken')" in warning


def test_an_imported_bucket_without_a_known_name_is_warned_about_too(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    name = CfnParameter(stack, "Name").value_as_string
    bucket = s3.Bucket.from_bucket_name(stack, "Given", name)
    (warning,) = warnings_of(add_job(stack, images=Images.from_bucket(bucket)))
    assert "--bucket BUCKET " in warning
