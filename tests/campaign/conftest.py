"""Campaigns really deployed, on an account whose jobs take five images and of which two may live."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, Runs, SemanticSegmentationLabelingCampaign, Workteam
from ground_truth_local.cdk_cli import CdkCli
from ground_truth_local.orders import Orders
from ground_truth_local.server import EmbeddedAws
from ground_truth_local.service.quotas import Quotas
from tests.e2e.conftest import LABELS, MEMBERS, picture

LIVE = ("Initializing", "InProgress", "Stopping")
CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["Access-Control-Allow-Origin"]}


class Account:
    """The account, with what a test looks at."""

    def __init__(self, aws: EmbeddedAws, folder: Any) -> None:
        self.aws = aws
        self._folder = folder
        session = aws.session()
        self.s3, self.states = session.client("s3"), session.client("stepfunctions")
        self.sagemaker, self.lambda_ = session.client("sagemaker"), session.client("lambda")
        self.workteam = aws.create_workteam("annotators", MEMBERS)
        self._made: dict[str, CdkCli] = {}

    def bucket(self, name: str, count: int = 0) -> str:
        """A bucket that outlives the stacks, with pictures."""
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [CORS]})
        for number in range(count):
            self.put_image(name, number)
        return name

    def put_image(self, bucket: str, number: int) -> str:
        key = f"photos/{number:05}.png"
        self.s3.put_object(Bucket=bucket, Key=key, Body=picture(f"{bucket}{number}"))
        return f"s3://{bucket}/{key}"

    def deploy(self, name: str, bucket: str, **options: Any) -> dict[str, str]:
        """A campaign over a bucket, which also gets the labels; the stack's outputs."""
        app = App(outdir=str(self._folder.mktemp(name) / "cdk.out"))
        stack = Stack(app, name)
        photos = s3.Bucket.from_bucket_name(stack, "Photos", bucket)
        arguments = {
            "images": Images.from_bucket(photos, prefix="photos/"),
            "labels": LABELS,
            "workteam": Workteam.from_workteam_arn(stack, "Team", self.workteam),
            "images_per_job": 5,
            "output_bucket": photos,
            "number_of_human_workers_per_data_object": 1,
            "runs": Runs.on_call(),
            **{key: value for key, value in options.items() if key != "extend"},
        }
        campaign = SemanticSegmentationLabelingCampaign(stack, "Campaign", **arguments)
        if "extend" in options:
            options["extend"](campaign)
        CfnOutput(stack, "Machine", value=campaign.state_machine.state_machine_arn)
        CfnOutput(stack, "Dataset", value=campaign.dataset_manifest_s3_uri)
        CfnOutput(stack, "Unlabeled", value=campaign.unlabeled_s3_uri)
        cli = CdkCli(Path(app.synth().directory), self.aws.environment)
        self._made[name] = cli
        return cli.deploy(name)[name]

    def destroy(self, name: str) -> None:
        self._made.pop(name).destroy(name)

    def destroy_all(self) -> None:
        for name in list(self._made):
            self.destroy(name)

    def begin(self, outputs: dict[str, str]) -> str:
        """Begin a run."""
        started = self.states.start_execution(stateMachineArn=outputs["Machine"], input="{}")
        return str(started["executionArn"])

    def ended(self, execution: str, seconds: float = 120) -> dict[str, Any]:
        """The execution when it has ended."""

        def look() -> Any:
            found = self.states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return dict(self.until(look, seconds))

    def run(self, outputs: dict[str, str]) -> dict[str, Any]:
        """A whole run."""
        found = self.ended(self.begin(outputs))
        assert found["status"] == "SUCCEEDED", found
        return found

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nobody takes a task meanwhile, however long it lasts."""
        self.aws.order(Orders(work=False))
        yield
        self.aws.order(Orders())

    def until(self, look: Callable[[], Any], seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.1)
        return found

    def jobs(self, prefix: str) -> list[dict[str, Any]]:
        """All jobs of a campaign, the oldest first."""
        pages = self.sagemaker.get_paginator("list_labeling_jobs").paginate(
            NameContains=prefix, SortBy="CreationTime", SortOrder="Ascending"
        )
        names = [each["LabelingJobName"] for page in pages for each in page["LabelingJobSummaryList"]]
        return [self.sagemaker.describe_labeling_job(LabelingJobName=name) for name in names]

    def lines(self, uri: str) -> list[dict[str, Any]]:
        """A JSON Lines object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in body.decode().splitlines()]


def account_of(tmp_path_factory: Any, **options: Any) -> Iterator[Account]:
    quotas = Quotas(objects=5, jobs=2)
    with EmbeddedAws(quotas=quotas, wait_scale=0.02, **options) as aws:
        account = Account(aws, tmp_path_factory)
        yield account
        account.destroy_all()


@pytest.fixture(scope="session")
def account(tmp_path_factory: Any) -> Iterator[Account]:
    """All jobs are labeled as soon as they can be."""
    yield from account_of(tmp_path_factory, simulated_workers=True)


@pytest.fixture(scope="session")
def late(tmp_path_factory: Any) -> Iterator[Account]:
    """A job reads its manifest some seconds after it was made, so that one can be spoiled meanwhile."""
    yield from account_of(tmp_path_factory, simulated_workers=True, set_up_seconds=3.0)


@pytest.fixture(scope="session")
def slow(tmp_path_factory: Any) -> Iterator[Account]:
    """Workers take their time, so that there is a middle."""
    yield from account_of(tmp_path_factory, simulated_workers=True, seconds_per_task=3.0)
