"""An embedded AWS of its own, whose Lambda workers are killed by plan, and one stack in it."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, CfnResource, Stack
from aws_cdk.aws_s3 import Bucket
from PIL import Image

from cdk_ground_truth import Images, Preflight, SemanticSegmentationLabelingJob, Workteam
from ground_truth_local.cdk_cli import CdkCli, CdkError
from ground_truth_local.server import EmbeddedAws
from tests.faults.deploys.killing import read_plan, write_plan

_ROOT = Path(__file__).parents[3]
LIVE = ("Initializing", "InProgress", "Stopping")


class DeployedStack:
    """Deploys and destroys one stack with one job through the real CLI."""

    def __init__(self, aws: EmbeddedAws, name: str, folder: Path) -> None:
        self.aws, self.name = aws, name
        self._folder, self._numbers = folder, itertools.count()
        self._photos = folder / "photos"
        self._photos.mkdir()
        picture = io.BytesIO()
        Image.new("RGB", (48, 32), "grey").save(picture, "PNG")
        (self._photos / "a.png").write_bytes(picture.getvalue())
        self._team = f"arn:aws:sagemaker:{aws.region}:{aws.account}:workteam/private-crowd/annotators"
        self._sagemaker = aws.session().client("sagemaker")
        self.cli: CdkCli | None = None

    def plan(self, **plan: Any) -> None:
        write_plan(self.aws.state.root, **plan)

    def kills_left(self) -> int:
        return int(read_plan(self.aws.state.root).get("times", 0))

    def deploy(
        self,
        *titles: str,
        other_fails: bool = False,
        job_fails: bool = False,
    ) -> list[str]:
        """Deploy a stack with a job of each title; return the jobs' names.

        A job that fails is created, and the service doesn't find its manifest.
        """
        app = App(outdir=str(self._folder / f"cdk.out-{next(self._numbers)}"))
        stack = Stack(app, self.name)
        images = self._no_images(stack) if job_fails else Images.from_directory(self._photos)
        jobs = [self._job(stack, number, title, images, job_fails) for number, title in enumerate(titles)]
        for job in jobs:
            CfnOutput(stack, f"{job.node.id}Name", value=job.job_name)
        if other_fails:
            # The handler refuses it, after the jobs.
            token = jobs[0]._handler.service_token
            broken = CfnResource(stack, "Broken", type="Custom::Broken", properties={"ServiceToken": token})
            broken.node.add_dependency(*jobs)
        self.cli = CdkCli(Path(app.synth().directory), self.aws.environment, cwd=_ROOT)
        outputs = self.cli.deploy(self.name)[self.name]
        return [outputs[f"Job{number}Name"] for number in range(len(titles))]

    def _no_images(self, stack: Stack) -> Images:
        name = f"{self.name.lower()}-images"
        s3 = self.aws.session().client("s3")
        s3.create_bucket(Bucket=name)
        rule = {
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "ExposeHeaders": ["Access-Control-Allow-Origin"],
        }
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
        return Images.from_manifest(Bucket.from_bucket_name(stack, "Images", name), "not-there.manifest")

    def _job(
        self, stack: Stack, number: int, title: str, images: Images, fails: bool
    ) -> SemanticSegmentationLabelingJob:
        return SemanticSegmentationLabelingJob(
            stack,
            f"Job{number}",
            images=images,
            labels=["road", "sky"],
            workteam=Workteam.from_workteam_arn(stack, f"Team{number}", self._team),
            task_title=title,
            preflight=Preflight(enabled=not fails),
        )

    def destroy(self) -> None:
        assert self.cli is not None
        self.cli.destroy(self.name)

    def jobs(self, *statuses: str) -> list[str]:
        """Names of the stack's jobs in one of the statuses, oldest first."""
        summaries = self._sagemaker.list_labeling_jobs(
            SortBy="CreationTime", SortOrder="Ascending", NameContains=self.name.lower(), MaxResults=100
        )["LabelingJobSummaryList"]
        wanted = statuses or LIVE
        return [job["LabelingJobName"] for job in summaries if job["LabelingJobStatus"] in wanted]

    def faults_of_the_handler(self) -> list[str]:
        """What the handler logged of errors that it has no words for."""
        logs = self.aws.session().client("logs")
        return [
            event["message"]
            for group in logs.describe_log_groups()["logGroups"]
            if self.name in group["logGroupName"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            for event in page["events"]
            if "a fault of the handler itself" in event["message"]
        ]

    def stop_by_hand(self, name: str) -> None:
        self._sagemaker.stop_labeling_job(LabelingJobName=name)


@pytest.fixture(scope="session")
def killing_aws() -> Iterator[EmbeddedAws]:
    # The server's process has to find the service above.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), before]))
    try:
        with EmbeddedAws(service="tests.faults.deploys.killing:KillingService") as aws:
            aws.create_workteam(
                "annotators", ["ada@example.com", "grace@example.com", "katherine@example.com"]
            )
            yield aws
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@pytest.fixture
def stack(killing_aws: EmbeddedAws, request: Any, tmp_path: Path) -> Iterator[DeployedStack]:
    made = DeployedStack(killing_aws, f"S{abs(hash(request.node.nodeid)) % 10**8}", tmp_path)
    yield made
    made.plan()
    # A destroy takes the log with it.
    faults = made.faults_of_the_handler()
    if made.cli is not None:
        made.destroy()
    assert not made.jobs(), "a job outlives its stack"
    assert not faults


@pytest.fixture
def fails() -> Callable[..., str]:
    """Runs something that has to fail in the CLI; returns what it printed."""

    def run(step: Callable[..., object], *args: Any, **kwargs: Any) -> str:
        with pytest.raises(CdkError) as caught:
            step(*args, **kwargs)
        return str(caught.value)

    return run
