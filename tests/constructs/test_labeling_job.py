"""Grants, events and imports, of jobs made here and of imported ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from cdk_ground_truth import ILabelingJob, Images, SemanticSegmentationLabelingJob
from cdk_ground_truth.assertions import policy_statements

JOB_ARN = {"Fn::GetAtt": ["JobB9D00F9F", "JobArn"]}
IMPORTED = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/streets"


@pytest.fixture
def user(stack: Stack):
    return iam.Role(stack, "User", assumed_by=iam.AccountRootPrincipal())


def granted(stack):
    """(action, resource) → condition of the role User."""
    found = {}
    for statement in policy_statements(Template.from_stack(stack), "User00B015A1"):
        for action in _list(statement["Action"]):
            for resource in _list(statement["Resource"]):
                found[action, resource] = statement.get("Condition")
    return found


def _list(value):
    return value if isinstance(value, list) else [value]


def test_describe_and_stop_are_of_this_job_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], user
) -> None:
    job = add_job(stack)
    job.grant_describe(user)
    job.grant_stop(user)
    job.grant(user, "sagemaker:ListTags")
    assert granted(stack) == {
        (f"sagemaker:{action}", "<JobB9D00F9F.JobArn>"): None
        for action in ("DescribeLabelingJob", "StopLabelingJob", "ListTags")
    }


def test_no_grant_uses_what_the_cdk_has_deprecated(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(
        "from aws_cdk import App, Stack, aws_iam as iam\n"
        "from cdk_ground_truth import SemanticSegmentationLabelingJob\n"
        f"stack = Stack(App(outdir={str(tmp_path / 'out')!r}), 'Test')\n"
        f"job = SemanticSegmentationLabelingJob.from_labeling_job_arn(stack, 'Job', {IMPORTED!r})\n"
        "user = iam.Role(stack, 'User', assumed_by=iam.AccountRootPrincipal())\n"
        "assert job.grant_describe(user).success and job.grant_stop(user).success\n"
        "stack.node.root.synth()\n"
    )
    environment = {**os.environ, "JSII_DEPRECATED": "fail"}
    done = subprocess.run(
        [sys.executable, str(app)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_reading_labels_takes_the_key_and_needs_no_wait_for_the_job(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], user
) -> None:
    job = add_job(stack, encryption_key=kms.Key(stack, "Key"))
    assert job.grant_read_labels(user).success
    bucket = stack.resolve(job.output_bucket.bucket_arn)["Fn::GetAtt"][0]
    assert granted(stack) == {
        ("s3:GetObject", f"<{bucket}.Arn>/labels/test-job-????????-????????/*"): None,
        ("s3:ListBucket", f"<{bucket}.Arn>"): {
            "StringLike": {"s3:prefix": "labels/test-job-????????-????????/*"}
        },
        ("kms:Decrypt", "<Key961B73FD.Arn>"): None,
    }


def test_writing_images_to_a_bucket_takes_its_key(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], user
) -> None:
    bucket = s3.Bucket(stack, "Mine", encryption_key=kms.Key(stack, "Key"))
    job = add_job(stack, images=Images.from_bucket(bucket, prefix="in/"))
    assert job.grant_write_images(user).success
    assert set(granted(stack)) == {
        ("s3:AbortMultipartUpload", "<MineC1B42D3A.Arn>/in/*"),
        ("s3:PutObject", "<MineC1B42D3A.Arn>/in/*"),
        ("kms:Decrypt", "<Key961B73FD.Arn>"),
        ("kms:GenerateDataKey", "<Key961B73FD.Arn>"),
    }


def test_writing_images_of_a_streaming_job_goes_to_all_its_buckets(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], user
) -> None:
    topic = sns.Topic(stack, "Topic")
    buckets = [s3.Bucket.from_bucket_name(stack, name, name) for name in ("one", "two")]
    job = add_job(stack, images=Images.from_topic(topic, image_buckets=buckets), output_topic=topic)
    assert job.grant_write_images(user).success
    assert {resource for _, resource in granted(stack)} == {"arn:aws:s3:::one/*", "arn:aws:s3:::two/*"}


def test_a_grant_that_has_no_place_warns_with_the_fix(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], user
) -> None:
    assert not add_job(stack).grant_write_images(user).success
    imported = SemanticSegmentationLabelingJob.from_labeling_job_arn(stack, "Old", IMPORTED)
    assert not imported.grant_read_labels(user).success
    assert not imported.grant_write_images(user).success
    warnings = Annotations.from_stack(stack)
    warnings.has_warning("/Test/Job", Match.string_like_regexp("use Images.from_bucket or Images.from_topic"))
    warnings.has_warning("/Test/Old", Match.string_like_regexp("from_labeling_job_attributes"))


def test_a_role_of_another_account_gets_through_the_buckets_policy(
    new_stack: Callable[..., Stack], add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = new_stack(region="eu-west-1")
    foreign = iam.Role.from_role_arn(stack, "Foreign", "arn:aws:iam::999900001111:role/trainer")
    job = add_job(stack)
    assert job.grant_read_labels(foreign).success
    # SageMaker has no policy of the job's own to grant through.
    assert not job.grant_describe(foreign).success
    Annotations.from_stack(stack).has_warning(
        "/Test/Job", Match.string_like_regexp("DescribeLabelingJob on the job's ARN, in its own account")
    )
    template = Template.from_stack(stack)
    [policy] = template.find_resources(
        "AWS::S3::BucketPolicy", {"Properties": {"Bucket": {"Ref": "CdkGroundTruthOutputBucketE68D8070"}}}
    ).values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert {each["Action"] for each in statements if each["Effect"] == "Allow"} == {
        "s3:GetObject",
        "s3:ListBucket",
    }


def test_a_grant_on_an_imported_bucket_for_a_foreign_role_warns(
    new_stack: Callable[..., Stack], add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = new_stack(region="eu-west-1")
    foreign = iam.Role.from_role_arn(stack, "Foreign", "arn:aws:iam::999900001111:role/trainer")
    job = add_job(stack, output_bucket=s3.Bucket.from_bucket_name(stack, "Given", "given"))
    assert not job.grant_read_labels(foreign).success
    Annotations.from_stack(stack).has_warning("/Test/Job", Match.string_like_regexp("the bucket's policy"))


@pytest.mark.parametrize(
    ("method", "statuses"),
    [
        ("on_state_change", ["Completed", "Failed", "Stopped"]),
        ("on_completed", ["Completed"]),
        ("on_failed", ["Failed"]),
        ("on_stopped", ["Stopped"]),
    ],
)
def test_a_rule_matches_this_job_as_long_as_the_construct_lives(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], method: str, statuses
) -> None:
    job = add_job(stack)
    topic = sns.Topic(stack, "Topic")
    getattr(job, method)("Rule", target=targets.SnsTopic(topic), description="Ends", rule_name="ends")
    Template.from_stack(stack).has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Ground Truth Labeling Job State Change"],
                # The resource's attribute: CloudFormation changes it with the job.
                "resources": [JOB_ARN],
                "detail": {"LabelingJobStatus": statuses},
            },
            "Name": "ends",
            "Targets": [Match.object_like({"Arn": {"Ref": "TopicBFC7AF6E"}})],
        },
    )


def test_a_rule_over_what_workers_do(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    job = add_job(stack)
    job.on_task_status("Rule", target=targets.SnsTopic(sns.Topic(stack, "Topic")), states=("Submitted",))
    Template.from_stack(stack).has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Ground Truth Labeling Job Task Status Change"],
                "detail": {
                    "labeling-job-arn": [JOB_ARN],
                    "State": [{"equals-ignore-case": "Submitted"}, {"wildcard": "*Submitted*"}],
                },
            }
        },
    )
    with pytest.raises(ValueError, match=r"'states' must be some of \('Accepted'"):
        job.on_task_status("Other", states=("Done",))  # type: ignore[arg-type]


def test_a_rule_over_no_status_is_refused(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    job = add_job(stack)
    for statuses in ((), ("InProgress",), "Failed"):
        with pytest.raises(ValueError, match=r"Test/Job: 'statuses' must be some of \('Completed'"):
            job.on_state_change("Rule", statuses=statuses)  # type: ignore[arg-type]


def test_a_target_in_another_stack_leaves_the_job_free_to_be_replaced(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    app = App(outdir=str(tmp_path / "out"))
    consumer, producer = Stack(app, "Consumer"), Stack(app, "Producer")
    function = lambda_.Function(
        consumer,
        "Train",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
    )
    add_job(producer).on_completed("Train", target=targets.LambdaFunction(function))
    exports = Template.from_stack(consumer).to_json()["Outputs"]
    assert "Outputs" not in Template.from_stack(producer).to_json()
    assert [each["Value"]["Fn::GetAtt"][1] for each in exports.values()] == ["Arn"]


def test_a_consumer_waits_for_the_job(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    job = add_job(stack)
    lambda_.Function(
        stack,
        "Train",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        environment={"MANIFEST": job.output_manifest_s3_uri},
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": {"MANIFEST": {"Fn::GetAtt": ["JobB9D00F9F", "OutputManifestS3Uri"]}}}},
    )


def test_imports(tmp_path: Path) -> None:
    stack = Stack(
        App(outdir=str(tmp_path / "out")), "Test", env=Environment(account="111122223333", region="eu-west-1")
    )
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "labels-of-all")
    by_name = SemanticSegmentationLabelingJob.from_labeling_job_name(stack, "ByName", "streets")
    by_arn = SemanticSegmentationLabelingJob.from_labeling_job_arn(stack, "ByArn", IMPORTED)
    known = SemanticSegmentationLabelingJob.from_labeling_job_attributes(
        stack,
        "Known",
        labeling_job_arn=IMPORTED,
        output_bucket=bucket,
        output_prefix="finished/",
        encryption_key=kms.Key(stack, "Key"),
    )
    assert "labeling-job/streets" in str(stack.resolve(by_name.job_arn))
    for job in (by_name, by_arn, known):
        described: ILabelingJob = job
        assert stack.resolve(described.job_name) == "streets"
    assert by_arn.env.region == "eu-west-1"
    assert known.output_manifest_s3_uri == (
        "s3://labels-of-all/finished/streets/manifests/output/output.manifest"
    )
    user = iam.Role(stack, "User", assumed_by=iam.AccountRootPrincipal())
    assert known.grant_read_labels(user).success
    assert {action for action, _ in granted(stack)} == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}
    with pytest.raises(ValueError, match="'output_bucket' must be given"):
        _ = by_arn.output_s3_uri


def test_what_is_no_job_is_refused(stack: Stack) -> None:
    job = SemanticSegmentationLabelingJob
    with pytest.raises(ValueError, match="'labeling_job_arn' must be the ARN of a labeling job"):
        job.from_labeling_job_arn(stack, "A", "arn:aws:sagemaker:eu-west-1:111122223333:workteam/x/y")
    with pytest.raises(ValueError, match="'labeling_job_name' must be of letters"):
        job.from_labeling_job_name(stack, "B", "a_b")
