"""The documented layout of what a job writes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_local.service import palette
from ground_truth_local.service.masks import encode_answer
from ground_truth_local.service.pace import Pace
from tests.local.service.conftest import Clock, FakeAws, Tools

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
SECOND = r"\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d"
LAYOUT = [
    rf"annotations/consolidated-annotation/consolidation-request/iteration-1/{SECOND}\.json",
    rf"annotations/consolidated-annotation/consolidation-response/iteration-1/{SECOND}\.json",
    rf"annotations/consolidated-annotation/output/0_{STAMP}\.png",
    r"annotations/intermediate/1/annotations\.manifest",
    rf"annotations/worker-response/iteration-1/0/{SECOND}\.json",
    r"manifests/intermediate/1/output\.manifest",
    r"manifests/output/output\.manifest",
]


@pytest.fixture
def painted(harness: Any, aws: FakeAws, tools: type[Tools]):
    """A finished job of one object, one worker; with what the worker painted."""
    tools.fill(aws, objects=1)
    harness.create(OutputConfig__KmsKeyId=tools.KEY)
    arn = harness.describe()["LabelingJobArn"]
    task = harness.until(lambda: harness.service.queue.accept(arn, harness.worker()), bool)
    mask = np.random.default_rng(5).integers(0, 3, (task.height, task.width), dtype=np.uint8)
    answer = {task.element: encode_answer(mask, task.labels)}
    harness.clock.advance(40)
    harness.service.queue.submit(task.id, task.worker, answer, 39.5)
    assert harness.wait()["LabelingJobStatus"] == "Completed"
    return mask, answer, task


def test_the_files_lie_where_the_guide_says(painted, aws: FakeAws) -> None:
    keys = aws.keys("output")
    assert len(keys) == len(LAYOUT)
    for key, expected in zip(keys, LAYOUT, strict=True):
        assert re.fullmatch("labels/streets/" + expected, key)


def test_everything_is_encrypted_with_the_jobs_key(painted, aws: FakeAws, tools: type[Tools]) -> None:
    for options in aws.buckets["output"].puts.values():
        assert (options["ServerSideEncryption"], options["SSEKMSKeyId"]) == ("aws:kms", tools.KEY)


def test_the_output_line_is_the_documented_one(painted, aws: FakeAws) -> None:
    line = json.loads(aws.get("s3://output/labels/streets/manifests/output/output.manifest"))
    assert list(line) == ["source-ref", "id", "streets-ref", "streets-ref-metadata"]
    metadata = line["streets-ref-metadata"]
    assert re.fullmatch(STAMP, metadata.pop("creation-date"))
    assert metadata == {
        "internal-color-map": {
            "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.0},
            "1": {"class-name": "road", "hex-color": "#2ca02c", "confidence": 0.0},
            "2": {"class-name": "sky", "hex-color": "#1f77b4", "confidence": 0.0},
        },
        "type": "groundtruth/semantic-segmentation",
        "human-annotated": "yes",
        "job-name": "labeling-job/streets",
    }


def test_with_one_worker_the_mask_is_what_they_painted(painted, aws: FakeAws) -> None:
    mask, _, _ = painted
    (key,) = aws.keys("output", "consolidated-annotation/output/")
    pixels = np.asarray(Image.open(io.BytesIO(aws.get(f"s3://output/{key}"))).convert("RGB"))
    colors = [palette.to_rgb(color) for color in ("#ffffff", *palette.colors(2))]
    assert (pixels == np.array(colors, dtype=np.uint8)[mask]).all()


def test_the_worker_response_is_the_documented_one(
    painted, aws: FakeAws, harness: Any, tools: type[Tools]
) -> None:
    _, answer, task = painted
    (key,) = aws.keys("output", "worker-response")
    (given,) = json.loads(aws.get(f"s3://output/{key}"))["answers"]
    assert given["answerContent"] == answer
    assert given["workerId"] == task.worker
    assert given["timeSpentInSeconds"] == 39.5
    for moment in ("submissionTime", "acceptanceTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", given[moment])
    identity = given["workerMetadata"]["identityData"]
    assert identity["identityProviderType"] == "Cognito"
    assert identity["sub"] == harness.service.queue.members(tools.TEAM)[0].subject


def test_the_consolidation_function_got_and_gave_the_documented_forms(painted, aws: FakeAws) -> None:
    _, answer, task = painted
    (key,) = aws.keys("output", "consolidation-request")
    (asked,) = json.loads(aws.get(f"s3://output/{key}"))
    assert asked["datasetObjectId"] == "0"
    assert asked["dataObject"] == {"s3Uri": "s3://input/images/0.png"}
    assert json.loads(asked["annotations"][0]["annotationData"]["content"]) == answer
    assert asked["annotations"][0]["workerId"] == task.worker
    (key,) = aws.keys("output", "consolidation-response")
    (got,) = json.loads(aws.get(f"s3://output/{key}"))
    assert got["consolidatedAnnotation"]["content"]["streets-ref"].endswith(".png")


def test_the_manifest_is_written_as_unicode_and_labels_keep_their_names(
    harness: Any, aws: FakeAws, tools: type[Tools]
) -> None:
    labels = ('say "go"', "Straße", "a & b <i>")
    tools.fill(aws, objects=1, labels=labels)
    aws.put(
        "s3://input/jobs/input.manifest", json.dumps({"source-ref": "s3://input/images/0.png", "ort": "Köln"})
    )
    harness.create()
    arn = harness.describe()["LabelingJobArn"]
    task = harness.until(lambda: harness.service.queue.accept(arn, harness.worker()), bool)
    mask = np.full((task.height, task.width), 3, dtype=np.uint8)
    harness.service.queue.submit(task.id, task.worker, {task.element: encode_answer(mask, task.labels)}, 1.0)
    job = harness.wait()
    line = json.loads(aws.get(job["LabelingJobOutput"]["OutputDatasetS3Uri"]))
    assert line["ort"] == "Köln"
    names = [entry["class-name"] for entry in line["streets-ref-metadata"]["internal-color-map"].values()]
    assert names == ["BACKGROUND", *labels]


@pytest.fixture
def patient(aws: FakeAws, clock: Clock, tools: type[Tools]) -> Iterator[Any]:
    """Give a service that consolidates what is answered once a minute, unless nothing else is out."""
    pace = Pace(initializing=0.0, stopping=0.0, poll=0.02, consolidation_every=60.0)
    made = tools.Harness(aws, clock, pace=pace)
    made.service.start()
    yield made
    made.service.stop()


def test_objects_that_are_answered_soon_after_each_other_are_consolidated_together(
    patient: Any, aws: FakeAws, tools: type[Tools]
) -> None:
    tools.fill(aws, objects=4)
    patient.create()
    arn = patient.describe()["LabelingJobArn"]
    queue, worker = patient.service.queue, patient.worker()
    for index in range(4):
        task = patient.until(lambda: queue.accept(arn, worker), bool)
        mask = np.zeros((task.height, task.width), dtype=np.uint8)
        queue.submit(task.id, worker, {task.element: encode_answer(mask, task.labels)}, 1.0)
        if index == 0:
            patient.until(lambda: patient.describe()["LabelCounters"]["TotalLabeled"], bool)
    patient.wait("Completed")
    keys = aws.keys("output", "consolidation-request")
    assert sorted(len(json.loads(aws.get(f"s3://output/{key}"))) for key in keys) == [1, 3]
