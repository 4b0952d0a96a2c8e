"""cdk-nag's AwsSolutions: no error under the construct, and none hidden by a broad acknowledgement."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Acknowledgment, App, Stack, Validations
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks

from cdk_ground_truth import (
    AutomatedLabeling,
    Images,
    Runs,
    SemanticSegmentationLabelingCampaign,
    SemanticSegmentationLabelingJob,
    Workteam,
    nag,
)
from cdk_ground_truth._rooms import contract
from tests.constructs.conftest import TEAM_ARN

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"


def violations(tmp_path, fill, **context):
    """(rule, construct path) of all errors."""
    app = App(outdir=str(tmp_path / "out"), context=context)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    fill(app)
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)
    report = json.loads((tmp_path / "out" / "validation-report.json").read_text())
    return {
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
        if violation["ruleName"].startswith("AwsSolutions")
    }


def fill_with_everything(add_job):
    def fill(app) -> None:
        home, stack = Stack(app, "Home"), Stack(app, "Test")
        elsewhere = s3.Bucket(home, "Photos")
        imported = s3.Bucket.from_bucket_name(stack, "Imported", "imported")
        key = kms.Key(stack, "Key", enable_key_rotation=True)
        topic = sns.Topic(stack, "Topic", enforce_ssl=True, master_key=key)
        add_job(stack, "Directory")
        add_job(stack, "Keyed", encryption_key=key)
        add_job(stack, "Bucket", images=Images.from_bucket(elsewhere, prefix="p/"))
        add_job(
            stack, "Topic1", images=Images.from_topic(topic, image_buckets=[imported]), output_topic=topic
        )
        add_job(
            stack,
            "Manifest",
            images=Images.from_manifest(imported, "in.manifest"),
            automated_labeling=AutomatedLabeling(volume_encryption_key=key),
        )
        add_campaigns(stack, imported)

    return fill


def add_campaigns(stack, bucket) -> None:
    """One over a bucket, one over a manifest."""
    team = Workteam.from_workteam_arn(stack, "AnyTeam", TEAM_ARN)
    for name, images in (
        ("Listed", Images.from_bucket(bucket, prefix="p/")),
        ("Given", Images.from_manifest(bucket, "in.manifest")),
    ):
        SemanticSegmentationLabelingCampaign(
            stack,
            name,
            images=images,
            labels=["road"],
            workteam=team,
            runs=Runs.on_schedule(events.Schedule.cron(hour="1", minute="0")),
        )


@pytest.mark.parametrize("minimized", [True, False])
def test_no_error_under_the_construct(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], minimized: bool
) -> None:
    found = violations(
        tmp_path, fill_with_everything(add_job), **{"@aws-cdk/aws-iam:minimizePolicies": minimized}
    )
    # The user's own bucket, as a sign that the checks ran.
    assert ("AwsSolutions-S10", "Home/Photos/Resource") in found
    assert {each for each in found if not each[1].startswith("Home/")} == set()


def test_the_control_without_acknowledgements_fails(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nag, "Acknowledgment", lambda id, reason: Acknowledgment(id=f"{id}x", reason=reason))
    found = {rule for rule, _ in violations(tmp_path, fill_with_everything(add_job))}
    for resource in (
        "/inputs/test-directory/*",
        "/labels/test-directory-????????-????????/*",
        "::*",
        "labeling-job/*",
        "/inputs/*",
    ):
        assert any(rule.startswith("AwsSolutions-IAM5") and rule.endswith(f"{resource}]") for rule in found)
    assert "AwsSolutions-S1" in found


def test_acknowledgements_are_narrow_and_say_why(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    app = App(outdir=str(tmp_path / "out"))
    fill_with_everything(add_job)(app)
    app.synth()
    count = 0
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == ACKNOWLEDGED:
                assert construct.node.path.startswith("Test/")
                for rule, reason in entry.data.items():
                    count += 1
                    assert re.search(r"(S1|L1|SF1|SF2)$|IAM5\[Resource::.+\]$", rule), rule
                    assert len(reason) > 20
    assert count > 20 and contract.RESOURCE_TYPE


@pytest.mark.parametrize(
    ("arn", "flat"),
    [
        ("*", "*"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x/*"]]}, "arn:<AWS::Partition>:x/*"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "<A.Arn>"),
        ({"Fn::Sub": "a-${AWS::Region}/*"}, "a-<AWS::Region>/*"),
        ({"Fn::ImportValue": "Home:X"}, "Home:X"),
    ],
)
def test_a_resource_in_cdk_nags_notation(arn, flat: str) -> None:
    assert nag.wildcard_rules([(arn, "why")]) == {f"AwsSolutions-IAM5[Resource::{flat}]": "why"}


@pytest.mark.attack("who writes a manifest", "what cdk-nag reports", attempts=6)
@pytest.mark.parametrize("folder", ["a]", "x], y[", "${*}", "${$}{s3:prefix}", "a'b", "<Ref>*"])
def test_an_odd_folder_is_left_to_cdk_nag(folder: str) -> None:
    assert nag.wildcard_rules([(f"arn:aws:s3:::photos/{folder}/*", "why")]) == {}
