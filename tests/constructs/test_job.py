"""The construct as a whole: resources, sharing, order, attributes, tags."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, CfnOutput, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from tests import pythons
from tests.constructs.conftest import Synthesized, role_of

JOB = "Custom::SemanticSegmentationLabelingJob"


def test_one_default_job_is_ten_resources_with_pinned_logical_ids(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack)
    template = synth(stack)
    # A changed logical id replaces the resource in everyone's stacks. The role's is the job's: see
    # `test_old_and_new_job.py`.
    role = role_of(template)
    assert re.fullmatch("JobExecutionRole[0-9A-F]{16}", role)
    assert {name: each["Type"] for name, each in template.resources.items()} == {
        "CdkGroundTruthHandler2AA5D9F9": "AWS::Lambda::Function",
        "CdkGroundTruthHandlerLogsE822D713": "AWS::Logs::LogGroup",
        "CdkGroundTruthHandlerRole3043096D": "AWS::IAM::Role",
        "CdkGroundTruthHandlerRoleDefaultPolicy43FBF03C": "AWS::IAM::Policy",
        "CdkGroundTruthInputBucket61D60493": "AWS::S3::Bucket",
        "CdkGroundTruthInputBucketPolicy23C9FE6D": "AWS::S3::BucketPolicy",
        "CdkGroundTruthOutputBucketE68D8070": "AWS::S3::Bucket",
        "CdkGroundTruthOutputBucketPolicy7FE861DF": "AWS::S3::BucketPolicy",
        "JobB9D00F9F": JOB,
        role: "AWS::IAM::Role",
    }
    assert set(template.template) <= {"Resources", "Mappings", "Parameters", "Rules"}


def test_each_further_job_adds_its_role_and_itself(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    for name in ("One", "Two", "Three"):
        add_job(stack, name, labels=[name])
    types = Counter(each["Type"] for each in synth(stack).resources.values())
    assert types.total() == 10 + 2 * 2
    assert types[JOB] == 3 and types["AWS::S3::Bucket"] == 2 and types["AWS::Lambda::Function"] == 1


def as_list(value):
    return value if isinstance(value, list) else [value]


def test_a_hundred_jobs_share_a_handler_whose_policies_stay_in_iams_limits(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    for index in range(100):
        add_job(stack, f"Job{index}", labels=[f"label {index}"])
    template = synth(stack)
    assert len(template.jobs()) == 100
    assert len(template.resources) <= 10 + 3 * 99
    for action in ("iam:PassRole", "s3:GetBucketLocation", "s3:GetObject"):
        statements = [
            each for each in template.statements("CdkGroundTruthHandlerRole") if action in each["Action"]
        ]
        resources = [arn for each in statements for arn in as_list(each["Resource"])]
        assert len(resources) == len(set(resources)), action
    assert len(template.allowed("CdkGroundTruthHandlerRole", "iam:PassRole")) == 100
    sizes = {"AWS::IAM::Policy": 10_240, "AWS::IAM::ManagedPolicy": 6_144}
    for kind, limit in sizes.items():
        for policy in template.of_type(kind).values():
            document = template.resolve(policy["Properties"]["PolicyDocument"])
            assert len(json.dumps(document, separators=(",", ":"))) < limit
    overflow = set(template.of_type("AWS::IAM::ManagedPolicy"))
    # IAM's quota of managed policies attached to one role, unless more are asked for.
    assert len(overflow) <= 10
    assert overflow and all(overflow <= set(job["DependsOn"]) for job in template.jobs())


def test_the_handler_runs_on_a_python_that_its_tests_run_on(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    """`make pythons` runs them on each of these that a machine has."""
    add_job(stack)
    [function] = synth(stack).of_type("AWS::Lambda::Function").values()
    assert function["Properties"]["Runtime"].removeprefix("python") in pythons.versions()


def test_the_job_waits_for_permissions_and_bucket_policies(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    job = add_job(stack)
    s3.Bucket.from_bucket_name(stack, "Later", "later").grant_read(job.role)
    template = synth(stack)
    assert len(template.of_type("AWS::IAM::Policy")) == 2
    assert set(template.jobs()[0]["DependsOn"]) == {
        "CdkGroundTruthHandlerRole3043096D",
        "CdkGroundTruthHandlerRoleDefaultPolicy43FBF03C",
        "CdkGroundTruthInputBucketPolicy23C9FE6D",
        "CdkGroundTruthOutputBucketPolicy7FE861DF",
        role_of(template),
        *(name for name in template.of_type("AWS::IAM::Policy") if name.startswith("JobExecutionRole")),
    }


def test_two_synths_are_equal(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
) -> None:
    texts = []
    for _ in range(2):
        stack = new_stack()
        add_job(stack)
        texts.append(synth(stack).text)
    assert texts[0] == texts[1]


def test_attributes_come_from_the_custom_resource(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    job = add_job(stack)
    assert stack.resolve(job.job_name) == {"Ref": "JobB9D00F9F"}
    for value, attribute in (
        (job.job_arn, "JobArn"),
        (job.output_s3_uri, "OutputS3Uri"),
        (job.output_manifest_s3_uri, "OutputManifestS3Uri"),
    ):
        assert stack.resolve(value) == {"Fn::GetAtt": ["JobB9D00F9F", attribute]}
    assert job.job_name_prefix == "test-job"
    assert job.label_attribute_name == "test-job-ref"
    assert job.workteam_arn.endswith("workteam/private-crowd/annotators")
    assert job.input_bucket is not None and job.input_bucket is not job.output_bucket
    handler_role = {"Fn::GetAtt": ["CdkGroundTruthHandlerRole3043096D", "Arn"]}
    assert stack.resolve(job.handler_role.role_arn) == handler_role
    assert stack.resolve(job.role.role_arn)["Fn::GetAtt"][0].startswith("JobExecutionRole")
    assert stack.resolve(job.log_group.log_group_name) == {"Ref": "CdkGroundTruthHandlerLogsE822D713"}
    CfnOutput(stack, "Name", value=job.job_name)
    assert synth(stack).template["Outputs"]["Name"]["Value"] == {"Ref": "JobB9D00F9F"}


def test_nothing_is_made_that_is_not_needed(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    job = add_job(stack, images=Images.from_manifest(bucket, "a.manifest"), output_bucket=bucket)
    assert job.input_bucket is None and job.output_bucket is bucket
    assert not synth(stack).of_type("AWS::S3::Bucket")


def test_a_job_does_not_wait_for_what_hangs_on_a_given_bucket(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    bucket = s3.Bucket(stack, "Mine", enforce_ssl=True)
    add_job(stack, output_bucket=bucket)
    waits = set(synth(stack).jobs()[0]["DependsOn"])
    assert any(name.startswith("MinePolicy") for name in waits)
    assert not any(name.startswith("Mine") and not name.startswith("MinePolicy") for name in waits)


def test_jobs_of_two_keys_get_buckets_of_their_own(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    keys = [kms.Key(stack, f"Key{index}") for index in range(2)]
    jobs = [
        add_job(stack, f"Job{index}", encryption_key=key) for index, key in enumerate([keys[0], *keys, None])
    ]
    assert jobs[0].output_bucket is jobs[1].output_bucket
    assert len({job.output_bucket.node.path for job in jobs}) == 3
    synth(stack)


def test_tags_come_from_the_argument_and_from_aspects(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    job = add_job(stack, tags={"team": "vision", "stage": "test"})
    Tags.of(job).add("stage", "live")
    Tags.of(stack).add("cost", "42")
    assert synth(stack).delivered()["Tags"] == [
        {"Key": "cost", "Value": "42"},
        {"Key": "stage", "Value": "live"},
        {"Key": "team", "Value": "vision"},
    ]


def test_a_tag_of_an_aspect_is_checked_at_synth(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    Tags.of(add_job(stack)).add("cdk-ground-truth:stack-id", "forged")
    with pytest.raises(RuntimeError, match="no key that starts with 'aws:' or 'cdk-ground-truth:'"):
        synth(stack)


@pytest.mark.parametrize(("imported", "policies"), [(False, 1), (True, 1)])
def test_a_given_role_gets_the_same_permissions(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    imported: bool,
    policies: int,
) -> None:
    default, given = new_stack(), new_stack()
    add_job(default)
    service = iam.ServicePrincipal("sagemaker.amazonaws.com")
    role = (
        iam.Role.from_role_arn(given, "Mine", "arn:aws:iam::444455556666:role/mine")
        if imported
        else iam.Role(given, "Mine", assumed_by=service)
    )
    job = add_job(given, role=role)
    assert job.role is role
    template = synth(given)
    assert template.statements("JobRolePolicy") == synth(default).statements("JobExecutionRole")
    assert not template.statements("JobExecutionRole")
    # In a policy of the job's own: another job of the role, or the one after this, has others.
    assert not template.statements("MineDefaultPolicy")
    (policy,) = [name for name in template.of_type("AWS::IAM::Policy") if name.startswith("JobRolePolicy")]
    assert policy in template.jobs()[0]["DependsOn"]


def test_an_immutable_role_stays_as_it_is(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    role = iam.Role.from_role_arn(stack, "Mine", "arn:aws:iam::444455556666:role/mine", mutable=False)
    add_job(stack, role=role)
    template = synth(stack)
    assert not template.statements("Mine") and not template.statements("JobRolePolicy")
    assert template.delivered()["Request"]["RoleArn"] == "arn:aws:iam::444455556666:role/mine"


def test_two_stacks_of_an_app_have_a_handler_each(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    app = App(outdir=str(tmp_path / "out"))
    stacks = [Stack(app, name) for name in ("One", "Two")]
    for each in stacks:
        add_job(each)
    assert all(len(synth(each).of_type("AWS::Lambda::Function")) == 1 for each in stacks)
