"""Somebody's existing stack, clean under cdk-nag, gets a job with one import and stays clean."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack, Validations
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"


class Existing(Stack):
    """As it was: a function with a role and a log of its own."""

    def __init__(self, scope: App, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(self, "TrainerRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log = logs.LogGroup(self, "TrainerLog")
        role.add_to_policy(iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[log.log_group_arn]))
        self.trainer = lambda_.Function(
            self,
            "Trainer",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=lambda_.Code.from_inline("def handler(event, context): ..."),
            role=role,
            log_group=log,
        )


@pytest.mark.parametrize("unclean", [False, True])
def test_a_strangers_stack_stays_clean(photos: Path, tmp_path: Path, unclean: bool) -> None:
    app = App(outdir=str(tmp_path / "out"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Existing(app, "Existing")
    job = SemanticSegmentationLabelingJob(
        stack,
        "Labels",
        images=Images.from_directory(photos),
        labels=["road"],
        workteam=Workteam.from_workteam_arn(stack, "Team", TEAM),
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    )
    job.grant_read_labels(stack.trainer)
    job.grant_describe(stack.trainer)
    job.on_completed("Train", target=targets.LambdaFunction(stack.trainer))
    job.alarm_nothing_labeled("Idle", within=Duration.hours(8))
    job.alarm_failed("Failed")
    if unclean:
        # As a sign that the checks run; the bucket is the only thing that they find.
        s3.Bucket(stack, "Unclean")
    with pytest.raises(RuntimeError, match="ValidationFailed") if unclean else contextlib.nullcontext():
        app.synth()
    report = json.loads((tmp_path / "out" / "validation-report.json").read_text())
    found = {
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
        if violation["ruleName"].startswith("AwsSolutions")
    }
    bucket = "Existing/Unclean/Resource"
    assert found == ({("AwsSolutions-S1", bucket), ("AwsSolutions-S10", bucket)} if unclean else set())
