"""`ground_truth.run(MyStack)` and `ground_truth.synth(MyStack)`, as somebody else's test uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from aws_cdk import CfnOutput, Stack
from PIL import Image

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam
from ground_truth_local.testing import AppError, DeployFailed, Failures, Workers
from ground_truth_local.workers import paint

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
LABELS = ["road", "sky"]

pytestmark = pytest.mark.xdist_group("testing")


@pytest.fixture
def photos(tmp_path: Path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("one.png", "two.png"):
        noise = np.random.default_rng(len(name) + ord(name[0])).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((80, 60), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture
def streets(photos):
    """A stack of one's own."""

    class Streets(Stack):
        def __init__(self, scope, construct_id) -> None:
            super().__init__(scope, construct_id)
            job = SemanticSegmentationLabelingJob(
                self,
                "Job",
                images=Images.from_directory(photos),
                labels=LABELS,
                workteam=Workteam.from_workteam_arn(self, "Team", TEAM),
                number_of_human_workers_per_data_object=1,
            )
            CfnOutput(self, "Name", value=job.job_name)

    return Streets


def test_synth_needs_no_server(streets, ground_truth) -> None:
    found = ground_truth.synth(streets)
    [request] = found.requests
    assert request["LabelAttributeName"] == "streets-job-ref"
    assert list(found.templates) == ["Streets"]
    assert "aws" not in vars(ground_truth)


def test_what_cannot_be_synthesized_is_told(ground_truth, tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"nothing\.py can't be run: No such file"):
        ground_truth.synth(str(tmp_path / "nothing.py"))
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no work team')")
    with pytest.raises(AppError, match="made no cloud assembly:\nno work team"):
        ground_truth.synth(broken)


@pytest.mark.deploy
def test_a_run_gives_request_labels_manifest_and_events(streets, ground_truth, photos) -> None:
    ground_truth.workteam("annotators")
    run = ground_truth.run(streets, workers=Workers(seed=7))
    assert run.status == "Completed"
    assert run.outputs["Streets"]["Name"] == run.job.name == run.request["LabelingJobName"]
    assert [line["source-ref"].rpartition("/")[2] for line in run.manifest] == ["one.png", "two.png"]
    assert run.failures == {}
    with Image.open(photos / "one.png") as picture:
        expected = paint(picture, LABELS, seed=7, worker=worker_of(ground_truth, run))
    assert (run.labels["one.png"] == expected).all()
    changes = [event["detail"] for event in run.events if "Job State Change" in event["detail-type"]]
    assert changes[-1]["LabelingJobStatus"] == "Completed"


def worker_of(ground_truth, run):
    """Who labeled the first image, by the worker response in S3."""
    s3 = ground_truth.aws.session().client("s3")
    output = run.request["OutputConfig"]["S3OutputPath"].removeprefix("s3://")
    bucket, _, prefix = output.partition("/")
    below = f"{prefix}/{run.job.name}/annotations/worker-response/"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=below)["Contents"]]
    body = s3.get_object(Bucket=bucket, Key=min(keys))["Body"].read().decode()
    return body.partition('"workerId":')[2].partition('"')[2].partition('"')[0]


@pytest.mark.deploy
def test_failures_come_to_order(streets, ground_truth) -> None:
    ground_truth.workteam("annotators")
    run = ground_truth.run(streets, workers=Workers(declines=["*/one.png"]))
    assert list(run.failures) == ["one.png"] and "expired" in run.failures["one.png"]
    assert list(run.labels) == ["two.png"]


@pytest.mark.deploy
def test_no_cors_is_seen_by_no_worker(streets, ground_truth) -> None:
    ground_truth.workteam("annotators")
    run = ground_truth.run(streets, fail=Failures(no_cors=True, throttle_every=40))
    assert sorted(run.failures) == ["one.png", "two.png"] and run.labels == {}


@pytest.mark.deploy
def test_a_refused_stack_is_told_with_its_reasons(photos, ground_truth) -> None:
    def app(root) -> None:
        stack = Stack(root, "Refused")
        SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_directory(photos),
            labels=LABELS,
            workteam=Workteam.from_workteam_arn(stack, "Team", TEAM.replace("annotators", "nobody")),
        )

    with pytest.raises(DeployFailed, match=r"Refused was not deployed:\n(.*\n)*.*work team"):
        ground_truth.run(app)
