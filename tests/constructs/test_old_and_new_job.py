"""An update never changes what the old job may do while it lives; what goes on keeps what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ground_truth import Images, Preflight, SemanticSegmentationLabelingJob
from tests.constructs.conftest import Synthesized, role_of

KEPT = "RetainExceptOnCreate"


def given(stack, name):
    return Images.from_bucket(s3.Bucket.from_bucket_name(stack, name, name), prefix="photos/")


#: What makes another job; each has a role of its own beside the old one's.
ANOTHER_JOB = {
    "bucket": lambda stack: {"images": given(stack, "other")},
    "prefix of output": lambda stack: {"output_prefix": "night"},
    "key": lambda stack: {"encryption_key": kms.Key(stack, "Key")},
    "output bucket": lambda stack: {"output_bucket": s3.Bucket.from_bucket_name(stack, "Out", "out-there")},
    "topic": lambda stack: {"output_topic": sns.Topic(stack, "Topic")},
    "labels": lambda stack: {"labels": ["road", "sky"]},
    "title": lambda stack: {"task_title": "Another"},
}
#: What is set on the job that is there, which keeps its role.
SAME_JOB = {
    "tags": lambda stack: {"tags": {"team": "vision"}},
    "probation": lambda stack: {"probation": Duration.minutes(1)},
    "watch": lambda stack: {"watch": Duration.minutes(1)},
    "removal policy": lambda stack: {"removal_policy": RemovalPolicy.RETAIN},
    "preflight": lambda stack: {"preflight": Preflight(enabled=False)},
}


def _nothing(stack: Stack) -> dict[str, Any]:
    return {}


def roles(new_stack, add_job, synth, change):
    found = []
    for options in (_nothing, change):
        stack = new_stack()
        add_job(stack, **({"images": given(stack, "photos")} | options(stack)))
        found.append(role_of(synth(stack)))
    return found


@pytest.mark.parametrize("what", ANOTHER_JOB)
def test_another_job_comes_with_a_role_of_its_own(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    what,
) -> None:
    old, new = roles(new_stack, add_job, synth, ANOTHER_JOB[what])
    assert old != new


@pytest.mark.parametrize("what", SAME_JOB)
def test_the_same_job_keeps_its_role(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    what,
) -> None:
    old, new = roles(new_stack, add_job, synth, SAME_JOB[what])
    assert old == new


@pytest.mark.parametrize("named", [None, "labeler"])
def test_a_role_of_the_users_gets_a_policy_for_each_job(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    named,
) -> None:
    found = []
    for bucket in ("one", "two"):
        stack = new_stack()
        principal = iam.ServicePrincipal("sagemaker.amazonaws.com")
        role = iam.Role(stack, "Mine", assumed_by=principal, role_name=named)
        add_job(stack, images=given(stack, bucket), role=role, encryption_key=kms.Key(stack, "Key"))
        template = synth(stack)
        # Nothing in place: CloudFormation makes the new policy before, and deletes the old one after.
        assert not template.statements("MineDefaultPolicy")
        found.append({name for name in template.resources if name.startswith("JobRolePolicy")})
    assert found[0] and found[1] and found[0].isdisjoint(found[1])


def test_what_a_retained_job_needs_stays(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    key = kms.Key(stack, "Key")
    add_job(stack, encryption_key=key, removal_policy=RemovalPolicy.RETAIN)
    own = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    add_job(stack, "Given", encryption_key=key, removal_policy=RemovalPolicy.RETAIN, role=own)
    add_job(stack, "Stopped", encryption_key=key)
    template = synth(stack)

    def policies(prefix):
        return {
            (each["Type"].rpartition(":")[2], each.get("DeletionPolicy"), each.get("UpdateReplacePolicy"))
            for name, each in template.resources.items()
            if name.startswith(prefix)
        }

    assert policies("JobExecutionRole") == {("Role", KEPT, "Retain"), ("Policy", KEPT, "Retain")}
    assert policies("GivenRolePolicy") == {("Policy", KEPT, "Retain")}
    assert policies("Mine") == {("Role", KEPT, "Retain")}
    assert policies("StoppedExecutionRole") == {("Role", None, None), ("Policy", None, None)}
    for kind in ("AWS::KMS::Key", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"):
        assert all(each["DeletionPolicy"] == "Retain" for each in template.of_type(kind).values())
