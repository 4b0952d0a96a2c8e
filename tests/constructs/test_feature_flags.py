"""The CDK's feature flags, all on and all off: an app of any age deploys the same job."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from cdk_ground_truth import SemanticSegmentationLabelingJob
from cdk_ground_truth.assertions import labeling_job
from tests.constructs.conftest import TEAM_ARN


def synthesized(tmp_path, add_job, context):
    app = App(outdir=str(tmp_path / "out"), context=context)
    stack = Stack(app, "Streets")
    add_job(stack, "Job")
    assembly = app.synth()
    return json.loads((tmp_path / "out" / "manifest.json").read_text()), Template.from_stack(stack), assembly


def flags(manifest):
    """All that this version of the CDK knows and still lets an app choose."""
    [report] = [each for each in manifest["artifacts"].values() if each["type"] == "cdk:feature-flag-report"]
    return list(report["properties"]["flags"])


@pytest.mark.parametrize("value", [True, False], ids=["all on", "all off"])
def test_the_job_is_the_same(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], value: bool
) -> None:
    manifest, plain, _ = synthesized(tmp_path / "plain", add_job, {})
    # With this one off, assets come by parameters of CloudFormation as in CDK v1: their places are unknown.
    names = [name for name in flags(manifest) if name != "@aws-cdk/core:newStyleStackSynthesis"]
    assert len(names) > 50
    _, template, _ = synthesized(tmp_path / "flags", add_job, dict.fromkeys(names, value))
    wanted, found = labeling_job(plain), labeling_job(template)
    assert found.request == wanted.request and found.request["HumanTaskConfig"]["WorkteamArn"] == TEAM_ARN
    kinds = ("AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::S3::BucketPolicy")
    for kind in kinds:
        assert found.logical_id == wanted.logical_id
        assert template.find_resources(kind).keys() == plain.find_resources(kind).keys(), kind
