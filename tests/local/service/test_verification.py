"""Verification jobs: verdicts with comments on earlier masks, as the guide documents their output."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_local.service.errors import TaskError
from ground_truth_local.workers import SimulatedWorkers
from tests.local.service.conftest import FakeAws, Tools

ODD = 'O\'Brien "x" </script> é'
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-image-classifier name="verdict" src="{{ task.input.taskObject | grant_read_access }}" header="Right?"
    categories="{{ task.input.labels | to_json | escape }}"></crowd-image-classifier>
</crowd-form>"""
FIRST = "s3://output/labels/streets/manifests/output/output.manifest"


@pytest.fixture
def labeled(harness: Any, aws: FakeAws, tools: type[Tools]):
    """Three objects with masks, made by one worker who paints the left half a road."""
    aws.buckets["output"].cors = tools.CORS
    assert harness.create().status == 200
    for _ in range(3):
        task = harness.until(lambda: harness.service.queue.accept(_arn("streets"), harness.worker()), bool)
        mask = np.zeros((task.height, task.width, 4), dtype=np.uint8)
        mask[:, : task.width // 2] = (0x11, 0x22, 0x33, 255)
        harness.service.queue.submit(task.id, task.worker, {task.element: _painted(mask)}, 1.0)
    assert harness.wait()["LabelingJobStatus"] == "Completed"
    aws.put("s3://input/jobs/verify.html", TEMPLATE)
    return [json.loads(line) for line in aws.get(FIRST).decode().splitlines()]


def _arn(name) -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/{name}"


def _painted(rgba):
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, format="PNG")
    return {
        "inputImageProperties": {"height": rgba.shape[0], "width": rgba.shape[1]},
        "labelMappings": {"road": {"color": "#112233"}},
        "labeledImage": {"pngImageData": base64.b64encode(buffer.getvalue()).decode()},
    }


def _verify(harness, aws, tools, verdicts=("right", ODD), workers=3, **changes) -> None:
    labels = [{"label": verdict} for verdict in verdicts]
    categories = {"document-version": "2018-11-28", "labels": labels}
    aws.put("s3://input/jobs/verdicts.json", json.dumps(categories))
    task, acs = "HumanTaskConfig__", "AnnotationConsolidationConfig__AnnotationConsolidationLambdaArn"
    settings = {
        "LabelAttributeName": "checked",
        "LabelCategoryConfigS3Uri": "s3://input/jobs/verdicts.json",
        "InputConfig__DataSource__S3DataSource__ManifestS3Uri": FIRST,
        f"{task}UiConfig__UiTemplateS3Uri": "s3://input/jobs/verify.html",
        f"{task}PreHumanTaskLambdaArn": tools.function("PRE-VerificationSemanticSegmentation"),
        f"{task}{acs}": tools.function("ACS-VerificationSemanticSegmentation"),
        f"{task}NumberOfHumanWorkersPerDataObject": workers,
    }
    answer = harness.create("check", **(settings | changes))
    assert answer.status == 200, answer.body


def _answer(harness, number, **answer):
    queue = harness.service.queue
    task = harness.until(lambda: queue.accept(_arn("check"), harness.worker(number)), bool)
    queue.submit(task.id, task.worker, {task.element: answer}, 1.0)
    return task


def _output(harness, aws):
    uri = harness.wait(name="check")["LabelingJobOutput"]["OutputDatasetS3Uri"]
    return [json.loads(line) for line in aws.get(uri).decode().splitlines()]


def test_the_majoritys_verdict_and_the_comments_that_were_written(
    harness: Any, aws: FakeAws, tools: type[Tools], labeled
) -> None:
    _verify(harness, aws, tools)
    for index in range(3):
        _answer(harness, 1, label="right")
        _answer(harness, 2, label=ODD, workerComment="")
        _answer(harness, 3, label=ODD if index == 0 else "right", workerComment=ODD)
    lines = _output(harness, aws)
    assert [line["checked"] for line in lines] == ["1", "0", "0"]
    metadata = lines[0]["checked-metadata"]
    assert metadata.pop("creation-date")
    assert metadata == {
        "class-name": ODD,
        "confidence": 0.666667,
        "type": "groundtruth/label-verification",
        "human-annotated": "yes",
        "job-name": "labeling-job/check",
        "worker-feedback": [{"comment": ODD}],
    }
    # What came in is there as it was.
    for line, before in zip(lines, labeled, strict=True):
        assert {key: line[key] for key in before} == before


def test_a_verdict_that_is_none_is_refused_and_nothing_is_lost(
    harness: Any, aws: FakeAws, tools: type[Tools], labeled
) -> None:
    _verify(harness, aws, tools, workers=1)
    with pytest.raises(TaskError, match=r'label must be one of .*, got "maybe"'):
        _answer(harness, 1, label="maybe")
    with pytest.raises(TaskError, match="workerComment must be text"):
        _answer(harness, 2, label="right", workerComment=7)


def test_eleven_verdicts_end_the_job(harness: Any, aws: FakeAws, tools: type[Tools], labeled) -> None:
    _verify(harness, aws, tools, verdicts=[str(number) for number in range(11)])
    job = harness.wait(name="check")
    assert (job["LabelingJobStatus"], "at most 10" in job["FailureReason"]) == ("Failed", True)


def test_a_page_of_another_task_type_ends_the_job(
    harness: Any, aws: FakeAws, tools: type[Tools], labeled
) -> None:
    template = {"HumanTaskConfig__UiConfig__UiTemplateS3Uri": "s3://input/jobs/template.html"}
    _verify(harness, aws, tools, **template)
    job = harness.wait(name="check")
    assert (job["LabelingJobStatus"], "<crowd-image-classifier>" in job["FailureReason"]) == ("Failed", True)


def test_a_line_without_a_mask_fails_alone(harness: Any, aws: FakeAws, tools: type[Tools], labeled) -> None:
    lines = [labeled[0], {"source-ref": labeled[1]["source-ref"]}]
    aws.put("s3://input/jobs/some.manifest", "".join(json.dumps(line) + "\n" for line in lines))
    source = "InputConfig__DataSource__S3DataSource__ManifestS3Uri"
    _verify(harness, aws, tools, workers=1, **{source: "s3://input/jobs/some.manifest"})
    _answer(harness, 1, label="right")
    verified, failed = _output(harness, aws)
    assert verified["checked"] == "0"
    assert "no earlier label" in failed["checked-metadata"]["failure-reason"]
    assert failed["checked-metadata"]["type"] == "groundtruth/label-verification"


@pytest.mark.parametrize(("rate", "found"), [(0.0, {"right"}), (1.0, {ODD})])
def test_simulated_verifiers_find_their_own_labels_right_as_often_as_they_are_told(
    harness: Any, aws: FakeAws, tools: type[Tools], rate: float, found
) -> None:
    aws.buckets["output"].cors = tools.CORS
    workers = SimulatedWorkers(harness.service, seed=7, error_rate=rate)
    workers.start()
    try:
        assert harness.create().status == 200
        assert harness.wait()["LabelingJobStatus"] == "Completed"
        aws.put("s3://input/jobs/verify.html", TEMPLATE)
        _verify(harness, aws, tools)
        assert {line["checked-metadata"]["class-name"] for line in _output(harness, aws)} == found
    finally:
        workers.stop()


def test_simulated_verifiers_reject_what_they_would_not_paint(
    harness: Any, aws: FakeAws, tools: type[Tools], labeled
) -> None:
    # Two halves of different brightness; nobody paints all of it one class.
    color = labeled[0]["streets-ref-metadata"]["internal-color-map"]["1"]["hex-color"]
    blank = io.BytesIO()
    Image.new("RGB", (24, 16), color).save(blank, format="PNG")
    aws.put(labeled[0]["streets-ref"], blank.getvalue())
    workers = SimulatedWorkers(harness.service, seed=7)
    workers.start()
    try:
        _verify(harness, aws, tools)
        line = _output(harness, aws)[0]
    finally:
        workers.stop()
    assert line["checked-metadata"]["class-name"] == ODD
    assert all("something else" in each["comment"] for each in line["checked-metadata"]["worker-feedback"])


@pytest.mark.parametrize("change", ["no CORS", "no mask"])
def test_masks_that_no_browser_can_read_are_declined_not_guessed(
    harness: Any, aws: FakeAws, tools: type[Tools], labeled, change: str
) -> None:
    if change == "no CORS":
        aws.buckets["output"].cors = []
    else:
        aws.buckets["output"].objects.pop(labeled[0]["streets-ref"].removeprefix("s3://output/"))
    workers = SimulatedWorkers(harness.service, seed=7)
    _verify(harness, aws, tools, workers=1)
    harness.until(lambda: harness.service.queue.open_tasks(harness.worker()), bool)
    while workers.work_once():
        pass
    answered = harness.service._store.rows("SELECT state FROM tasks WHERE job = ? AND idx = 0", _arn("check"))
    assert {row["state"] for row in answered} == {"declined"}
