"""IAM's size limits hold for a manifest of a hundred buckets, or synth says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from tests.constructs.conftest import Synthesized, role_of

HANDLER = "CdkGroundTruthHandlerRole"
#: Characters of all inline policies of a role, of one managed policy, and managed policies of one role.
INLINE, MANAGED, ATTACHED = 10_240, 6_144, 10


@pytest.fixture
def manifest_of(tmp_path: Path):
    """A manifest that names buckets with the longest names that S3 takes."""

    def write(buckets):
        path = tmp_path / f"{buckets}.manifest"
        names = (f"b{number:03}-".ljust(63, "x") for number in range(buckets))
        path.write_text(
            "".join(json.dumps({"source-ref": f"s3://{name}/photos/a.jpg"}) + "\n" for name in names)
        )
        return Images.from_manifest_file(path)

    return write


def size(template, document):
    return len(json.dumps(template.resolve(document), separators=(",", ":")))


def of_role(template, prefix):
    """Characters of a role's inline policies, and of each managed one."""
    roles = template.of_type("AWS::IAM::Role")
    inline = [
        policy["PolicyDocument"]
        for name, role in roles.items()
        if name.startswith(prefix)
        for policy in role["Properties"].get("Policies", ())
    ]
    inline += [
        each["Properties"]["PolicyDocument"]
        for name, each in template.of_type("AWS::IAM::Policy").items()
        if name.startswith(prefix)
    ]
    managed = [
        size(template, each["Properties"]["PolicyDocument"])
        for name, each in template.of_type("AWS::IAM::ManagedPolicy").items()
        if name.startswith(prefix)
    ]
    return sum(size(template, document) for document in inline), managed


@pytest.mark.parametrize("buckets", [1, 20, 50, 100])
def test_a_manifest_of_a_hundred_buckets_fits(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    manifest_of,
    buckets: int,
) -> None:
    add_job(stack, images=manifest_of(buckets))
    template = synth(stack)
    for prefix in ("JobExecutionRole", HANDLER):
        inline, managed = of_role(template, prefix)
        assert inline <= INLINE and len(managed) <= ATTACHED and all(each <= MANAGED for each in managed)
        for action in ("s3:GetBucketLocation", "s3:ListBucket"):
            # Beside them there is that of the output.
            assert len([arn for arn in template.allowed(prefix, action) if "xxx" in arn]) == buckets
        assert len([arn for arn in template.allowed(prefix, "s3:GetObject") if "/photos/" in arn]) == buckets
    [job] = template.jobs()
    assert role_of(template) in job["DependsOn"]
    assert set(template.of_type("AWS::IAM::ManagedPolicy")) <= set(job["DependsOn"])


def test_what_does_not_fit_is_told_at_synth(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    manifest_of,
) -> None:
    add_job(stack, images=manifest_of(400))
    with pytest.raises(RuntimeError, match=r"managed policies for all buckets and jobs, and IAM attaches 10"):
        synth(stack)


def test_a_role_of_the_users_has_no_room_for_a_hundred(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], manifest_of
) -> None:
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    with pytest.raises(
        ValueError, match=r"a policy of [0-9,]+ characters, and IAM allows 10,240 in a role.*leave"
    ):
        add_job(stack, images=manifest_of(100), role=role)
