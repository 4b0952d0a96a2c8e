"""The job engine: from Initializing to its end, and what it says when that end is Failed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ground_truth_local.service.errors import TaskError
from ground_truth_local.service.masks import encode_answer
from ground_truth_local.service.pace import Pace
from ground_truth_local.workers import SimulatedWorkers
from tests.local.service.conftest import Clock, FakeAws, Tools

DAY = 24 * 3_600


def answer(task, class_id=1):
    import numpy as np

    mask = np.full((task.height, task.width), class_id, dtype=np.uint8)
    return {task.element: encode_answer(mask, task.labels)}


def label_one(harness, name="streets", worker=1, class_id=1):
    """Let a worker do one task, as soon as there is one; return the object's number."""
    arn = harness.describe(name)["LabelingJobArn"]
    task = harness.until(lambda: harness.service.queue.accept(arn, harness.worker(worker)), bool)
    harness.service.queue.submit(task.id, task.worker, answer(task, class_id), 1.0)
    return task.index


def counters(total, human, failed, unlabeled, machine=0):
    return {
        "TotalLabeled": total,
        "HumanLabeled": human,
        "MachineLabeled": machine,
        "FailedNonRetryableError": failed,
        "Unlabeled": unlabeled,
    }


def drop(aws, uri) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    del aws.buckets[bucket].objects[key]


def state_changes(harness):
    """The event of a job's end comes after its status and all else that is told of it."""

    def heard():
        events = list(harness.aws.events)
        return [event for event in events if event["detail_type"].endswith("Job State Change")]

    return harness.until(heard, bool)


FAILURES = {
    "manifest missing": (
        lambda aws, t: drop(aws, "s3://input/jobs/input.manifest"),
        ["the manifest s3://input/jobs/input.manifest", "doesn't exist"],
    ),
    "manifest not allowed": (
        lambda aws, t: aws.denied.add(("s3:GetObject", "input.manifest")),
        ["role/labeling is not allowed to read the manifest", "it needs s3:GetObject"],
    ),
    "manifest's key not allowed": (
        lambda aws, t: aws.denied.add(("kms:Decrypt", "input.manifest")),
        ["read the manifest", "it needs kms:Decrypt"],
    ),
    "manifest empty": (
        lambda aws, t: aws.put("s3://input/jobs/input.manifest", b""),
        ["has no data objects"],
    ),
    "manifest no JSON": (
        lambda aws, t: aws.put("s3://input/jobs/input.manifest", b'{"source-ref": "s3://a/b"}\n{'),
        ["line 2 of the manifest", "not valid JSON"],
    ),
    "manifest without source-ref": (
        lambda aws, t: aws.put("s3://input/jobs/input.manifest", b'{"source-reference": 1}'),
        ["has no 'source-ref'"],
    ),
    "categories missing": (
        lambda aws, t: drop(aws, "s3://input/jobs/categories.json"),
        ["the label category file s3://input/jobs/categories.json", "doesn't exist"],
    ),
    "categories of another version": (
        lambda aws, t: aws.put("s3://input/jobs/categories.json", b'{"document-version": "1", "labels": 1}'),
        ['must have "document-version": "2018-11-28", it has "1"'],
    ),
    "template not allowed": (
        lambda aws, t: aws.denied.add(("s3:GetObject", "template.html")),
        ["read the worker task template s3://input/jobs/template.html", "it needs s3:GetObject"],
    ),
    "template without form": (
        lambda aws, t: aws.put("s3://input/jobs/template.html", b"<p>Hello</p>"),
        ["must have one <crowd-form>"],
    ),
    "bucket elsewhere": (
        lambda aws, t: setattr(aws.buckets["input"], "region", "us-east-1"),
        ["The bucket input is in us-east-1", "Region eu-west-1"],
    ),
    "location not allowed": (
        lambda aws, t: aws.denied.add(("s3:GetBucketLocation", "output")),
        ["it needs s3:GetBucketLocation"],
    ),
    "output not allowed": (
        lambda aws, t: aws.denied.add(("s3:PutObject", "output/labels/streets")),
        ["write the intermediate manifest s3://output/labels/streets/", "it needs s3:PutObject"],
    ),
    "output's key not allowed": (
        lambda aws, t: aws.denied.add(("kms:GenerateDataKey", t.KEY)),
        ["it needs kms:GenerateDataKey", "key/11111111"],
    ),
    "no output bucket": (lambda aws, t: aws.buckets.pop("output"), ["NoSuchBucket"]),
    "images not allowed": (
        lambda aws, t: aws.denied.add(("s3:GetObject", "images/")),
        ["not set up correctly", "read the image s3://input/images/0.png", "it needs s3:GetObject"],
    ),
    "images' key not allowed": (
        lambda aws, t: aws.denied.add(("kms:Decrypt", "images/")),
        ["the image s3://input/images/0.png", "it needs kms:Decrypt"],
    ),
}


@pytest.mark.parametrize(("harm", "messages"), FAILURES.values(), ids=FAILURES.keys())
def test_a_job_that_is_set_up_wrongly_fails_with_the_cause(
    harness: Any, aws: FakeAws, tools: type[Tools], harm, messages
) -> None:
    harm(aws, tools)
    assert harness.create(OutputConfig__KmsKeyId=tools.KEY).status == 200
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert len(job["FailureReason"]) <= 1_024
    for message in messages:
        assert message in job["FailureReason"]
    assert [event["detail"] for event in state_changes(harness)] == [{"LabelingJobStatus": "Failed"}]


def test_it_is_in_progress_soon_with_nothing_counted_and_fails_minutes_later(
    aws: FakeAws, clock: Clock, tools: type[Tools]
) -> None:
    """As recorded in aws/amazon-sagemaker-examples#1945, and in the controllers-for-Kubernetes' tests."""
    drop(aws, "s3://input/jobs/template.html")
    pace = Pace(initializing=60.0, set_up=300.0, stopping=0.0, poll=0.02)
    harness = tools.Harness(aws, clock, pace=pace)
    harness.service.start()
    harness.create()
    assert harness.describe()["LabelingJobStatus"] == "Initializing"
    clock.advance(61)
    job = harness.wait("InProgress")
    assert job["LabelCounters"] == counters(0, 0, 0, 0)
    assert job["OutputConfig"]["KmsKeyId"] == ""
    assert re.fullmatch(tools.ACCOUNT + "[A-Za-z0-9]{16}", job["JobReferenceCode"])
    clock.advance(300)
    assert "template.html doesn't exist" in harness.wait("Failed")["FailureReason"]
    assert set(aws.assumed) == {(tools.ROLE, tools.REGION, tools.ACCOUNT)}
    harness.service.stop()


def test_a_role_that_is_not_there_is_refused_at_once_and_one_that_goes_fails_the_job(
    aws: FakeAws, clock: Clock, tools: type[Tools]
) -> None:
    harness = tools.Harness(aws, clock, pace=Pace(initializing=60.0, poll=0.02))
    harness.service.start()
    harness.create()
    aws.roles.clear()
    refused = harness.create("other")
    assert (refused.status, refused.body["__type"]) == (400, "ValidationException")
    assert f"Could not assume role {tools.ROLE}" in refused.body["message"]
    clock.advance(61)
    assert "can't assume the role" in harness.wait()["FailureReason"]
    harness.service.stop()


def test_counters_and_event_are_right_at_any_time(harness: Any, aws: FakeAws, tools: type[Tools]) -> None:
    harness.create()
    harness.wait("InProgress")
    for done in (1, 2):
        label_one(harness)
        expected = counters(done, done, 0, 3 - done)
        harness.until(harness.describe, lambda job, expected=expected: job["LabelCounters"] == expected)
    label_one(harness)
    job = harness.wait()
    assert job["LabelCounters"] == counters(3, 3, 0, 0)
    assert state_changes(harness) == [
        {
            "source": "aws.sagemaker",
            "detail_type": "SageMaker Ground Truth Labeling Job State Change",
            "detail": {"LabelingJobStatus": "Completed"},
            "resources": [job["LabelingJobArn"]],
            "account": tools.ACCOUNT,
            "region": tools.REGION,
        }
    ]


def test_one_bad_image_fails_alone_and_says_why(harness: Any, aws: FakeAws) -> None:
    aws.put("s3://input/images/1.png", b"not a picture")
    harness.create()
    assert [label_one(harness), label_one(harness)] == [0, 2]
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Completed"
    assert job["LabelCounters"] == counters(2, 2, 1, 0)
    line = json.loads(aws.get(job["LabelingJobOutput"]["OutputDatasetS3Uri"]).splitlines()[1])
    assert "streets-ref" not in line
    assert "not a readable JPEG or PNG" in line["streets-ref-metadata"]["failure-reason"]


def test_stopping_writes_what_there_is(harness: Any, aws: FakeAws) -> None:
    harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2)
    harness.wait("InProgress")
    assert label_one(harness, worker=1) == label_one(harness, worker=2) == 0
    harness.until(harness.describe, lambda job: job["LabelCounters"]["HumanLabeled"] == 1)
    label_one(harness, worker=1)
    arn = harness.describe()["LabelingJobArn"]
    held = harness.service.queue.accept(arn, harness.worker(3))
    harness.call("StopLabelingJob", {"LabelingJobName": "streets"})
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Stopped"
    lines = aws.get(job["LabelingJobOutput"]["OutputDatasetS3Uri"]).decode().splitlines()
    source = aws.get("s3://input/jobs/input.manifest").decode().splitlines()
    assert "streets-ref" in json.loads(lines[0])
    assert lines[1:] == source[1:]
    assert len(aws.keys("output", "worker-response/iteration-1/1/")) == 1
    with pytest.raises(Exception, match=r"no longer|no more answers"):
        harness.service.queue.submit(held.id, held.worker, answer(held), 1.0)
    assert state_changes(harness)[-1]["detail"] == {"LabelingJobStatus": "Stopped"}


def test_a_stop_ends_even_where_the_role_may_no_longer_write(harness: Any, aws: FakeAws) -> None:
    harness.create()
    harness.wait("InProgress")
    # A job is in progress before its set-up, which a denial would fail.
    harness.until(harness.describe, lambda job: job["LabelCounters"]["Unlabeled"])
    aws.denied.add(("s3:PutObject", "output"))
    harness.call("StopLabelingJob", {"LabelingJobName": "streets"})
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Stopped"
    assert "LabelingJobOutput" not in job


@pytest.mark.parametrize(
    ("conditions", "labeled"),
    [
        ({"MaxHumanLabeledObjectCount": 2}, 2),
        ({"MaxPercentageOfInputDatasetLabeled": 50}, 2),
        ({"MaxPercentageOfInputDatasetLabeled": 1}, 1),
    ],
)
def test_stopping_conditions_stop_the_job(harness: Any, conditions, labeled: int) -> None:
    harness.create(StoppingConditions=conditions)
    for _ in range(labeled):
        label_one(harness)
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Stopped"
    assert job["LabelCounters"] == counters(labeled, labeled, 0, 3 - labeled)


@pytest.mark.parametrize(
    "most", [{"MaxHumanLabeledObjectCount": 3}, {"MaxPercentageOfInputDatasetLabeled": 100}]
)
def test_a_condition_that_is_met_with_the_last_object_completes_the_job(harness: Any, most) -> None:
    harness.create(StoppingConditions=most)
    for _ in range(3):
        label_one(harness)
    assert harness.wait()["LabelingJobStatus"] == "Completed"


def test_chaining_sends_only_what_has_no_label_to_workers(harness: Any, aws: FakeAws) -> None:
    lines = [json.loads(line) for line in aws.get("s3://input/jobs/input.manifest").splitlines()]
    for line, human in zip(lines, ("yes", "no"), strict=False):
        line |= {"streets-ref": "s3://input/old.png", "streets-ref-metadata": {"human-annotated": human}}
    text = "\r\n".join(json.dumps(line) for line in lines)
    aws.put("s3://input/jobs/input.manifest", text)
    harness.create()
    assert label_one(harness) == 2
    job = harness.wait()
    assert job["LabelCounters"] == counters(3, 2, 0, 0, machine=1)
    written = aws.get(job["LabelingJobOutput"]["OutputDatasetS3Uri"]).decode().splitlines()
    assert written[:2] == text.splitlines()[:2]


def test_the_first_batch_is_ten_and_then_as_many_as_asked_for(
    harness: Any, aws: FakeAws, tools: type[Tools]
) -> None:
    tools.fill(aws, objects=20)
    harness.create(HumanTaskConfig__MaxConcurrentTaskCount=6)
    arn = harness.describe()["LabelingJobArn"]
    harness.wait("InProgress")

    def offered():
        return sum(
            tasks.open for tasks in harness.service.queue.open_tasks(harness.worker()) if tasks.job == arn
        )

    harness.until(offered, lambda count: count == 6)
    for _ in range(6):
        label_one(harness)
    harness.until(offered, lambda count: count == 6)
    assert harness.service.job(arn).iteration == 2


def test_a_task_that_nobody_took_in_time_fails_and_partial_answers_count(harness: Any, clock: Clock) -> None:
    harness.create(
        HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2,
        HumanTaskConfig__TaskAvailabilityLifetimeInSeconds=3_600,
    )
    label_one(harness)
    clock.advance(3_700)
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Completed"
    assert job["LabelCounters"] == counters(1, 1, 2, 0)


def test_a_job_fails_after_thirty_days(harness: Any, clock: Clock, aws: FakeAws) -> None:
    harness.create()
    label_one(harness)
    clock.advance(30 * DAY + 60)
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Failed"
    assert "30 days" in job["FailureReason"]
    assert "streets-ref" in json.loads(
        aws.get(job["LabelingJobOutput"]["OutputDatasetS3Uri"]).splitlines()[0]
    )


def test_automated_labeling_needs_its_number_of_objects(harness: Any, tools: type[Tools]) -> None:
    algorithm = "027400017018:labeling-job-algorithm-specification/semantic-segmentation"
    arn = f"arn:aws:sagemaker:{tools.REGION}:{algorithm}"
    harness.create(LabelingJobAlgorithmsConfig={"LabelingJobAlgorithmSpecificationArn": arn})
    assert "at least 1250 data objects" in harness.wait()["FailureReason"]


def test_a_job_goes_on_after_a_restart(
    aws: FakeAws, clock: Clock, tools: type[Tools], tmp_path: Path
) -> None:
    first = tools.Harness(aws, clock, state_dir=tmp_path)
    first.service.start()
    first.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2)
    label_one(first, worker=1)
    arn = first.describe()["LabelingJobArn"]
    held = first.service.queue.accept(arn, first.worker(2))
    first.create("later")
    first.wait("InProgress", name="later")
    first.call("StopLabelingJob", {"LabelingJobName": "later"})
    first.service.stop()

    second = tools.Harness(aws, clock, state_dir=tmp_path)
    assert second.describe()["LabelingJobStatus"] == "InProgress"
    second.service.start()
    assert held
    second.service.queue.submit(held.id, held.worker, answer(held), 1.0)
    second.until(second.describe, lambda job: job["LabelCounters"]["HumanLabeled"] == 1)
    for worker in (3, 4, 3, 4):
        label_one(second, worker=worker)
    assert second.wait()["LabelingJobStatus"] == "Completed"
    assert second.wait(name="later")["LabelingJobStatus"] == "Stopped"
    assert second.create().body["__type"] == "ResourceInUse"
    second.service.stop()


def test_two_hundred_objects_and_a_few_bad_ones_do_not_hang(
    harness: Any, aws: FakeAws, tools: type[Tools]
) -> None:
    tools.fill(aws, objects=200)
    for index in range(0, 200, 50):
        aws.put(f"s3://input/images/{index}.png", b"")
    workers = SimulatedWorkers(harness.service, seed=1)
    workers.start()
    try:
        harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2)
        job = harness.wait(seconds=60)
    finally:
        workers.stop()
    assert job["LabelingJobStatus"] == "Completed"
    assert job["LabelCounters"] == counters(196, 196, 4, 0)
    assert len(aws.keys("output", "consolidated-annotation/output/")) == 196


def test_many_jobs_run_side_by_side(harness: Any, aws: FakeAws) -> None:
    workers = SimulatedWorkers(harness.service, seed=1)
    workers.start()
    try:
        for number in range(8):
            assert harness.create(f"job-{number}").status == 200
        for number in range(8):
            assert harness.wait(name=f"job-{number}")["LabelingJobStatus"] == "Completed"
    finally:
        workers.stop()


def test_labels_are_published_to_the_output_topic(harness: Any, aws: FakeAws) -> None:
    topic = "arn:aws:sns:eu-west-1:111122223333:labels"
    harness.create(OutputConfig__SnsTopicArn=topic)
    label_one(harness)
    (published,) = harness.until(lambda: aws.published, bool)
    assert published[0] == topic
    assert json.loads(published[1])["source-ref"] == "s3://input/images/0.png"


def test_a_role_that_may_not_publish_fails_the_job_and_keeps_the_label(harness: Any, aws: FakeAws) -> None:
    aws.denied.add(("sns:Publish", ""))
    harness.create(OutputConfig__SnsTopicArn="arn:aws:sns:eu-west-1:111122223333:labels")
    label_one(harness)
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Failed"
    assert "needs sns:Publish" in job["FailureReason"]
    assert job["LabelCounters"]["HumanLabeled"] == 1


@pytest.mark.parametrize(("declining", "labeled"), [((1, 2), 0), ((2, 3), 1)])
def test_as_many_declines_as_workers_expire_the_object(
    harness: Any, aws: FakeAws, tools: type[Tools], declining, labeled: int
) -> None:
    """Developer Guide, sms-monitor-cloud-watch, "Declining Tasks"."""
    tools.fill(aws, objects=1)
    harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2)
    if labeled:
        label_one(harness, worker=1)
    arn = harness.describe()["LabelingJobArn"]
    for worker in declining:
        task = harness.until(
            lambda worker=worker: harness.service.queue.accept(arn, harness.worker(worker)), bool
        )
        harness.service.queue.decline(task.id, task.worker)
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Completed"
    assert job["LabelCounters"] == counters(labeled, labeled, 1 - labeled, 0)


def test_who_holds_an_object_that_others_declined_may_still_answer(
    harness: Any, aws: FakeAws, tools: type[Tools]
) -> None:
    tools.fill(aws, objects=1)
    harness.create()
    arn = harness.describe()["LabelingJobArn"]
    held = harness.until(lambda: harness.service.queue.accept(arn, harness.worker(1)), bool)
    # One worker is wanted and has it in hand: nobody else can decline it.
    assert harness.service.queue.accept(arn, harness.worker(2)) is None
    harness.service.queue.submit(held.id, held.worker, answer(held), 1.0)
    assert harness.wait()["LabelCounters"] == counters(1, 1, 0, 0)


BROKEN_MIDWAY = {
    "no CORS": lambda aws: aws.buckets["input"].cors.clear(),
    "no bucket": lambda aws: aws.buckets["input"].objects.clear(),
    "another picture": lambda aws: aws.put("s3://input/images/0.png", b"GIF89a"),
    "may not read": lambda aws: aws.denied.add(("s3:GetObject", "images/")),
}


@pytest.mark.parametrize("harm", BROKEN_MIDWAY.values(), ids=BROKEN_MIDWAY)
def test_simulated_workers_who_see_no_picture_decline_and_the_job_ends(
    harness: Any, aws: FakeAws, tools: type[Tools], harm
) -> None:
    tools.fill(aws, objects=1)
    harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=3)
    harness.until(lambda: harness.service.queue.open_tasks(harness.worker()), bool)
    harm(aws)
    workers = SimulatedWorkers(harness.service)
    workers.start()
    try:
        job = harness.wait()
    finally:
        workers.stop()
    assert (job["LabelingJobStatus"], job["LabelCounters"]) == ("Completed", counters(0, 0, 1, 0))


def test_simulated_workers_go_on_with_what_they_had_in_hand(
    harness: Any, aws: FakeAws, tools: type[Tools]
) -> None:
    """Nobody else gets it, so a server that ended in the middle would leave its job waiting for the limit."""
    tools.fill(aws, objects=1)
    harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2)
    arn, queue = harness.describe()["LabelingJobArn"], harness.service.queue
    first = harness.until(lambda: queue.accept(arn, harness.worker(1)), bool)
    second = harness.until(lambda: queue.accept(arn, harness.worker(2)), bool)
    queue.drafts.open(second, "window")
    assert queue.drafts.save(second, "window", b"a person's stroke")
    workers = SimulatedWorkers(harness.service)
    workers.start()
    try:
        harness.until(lambda: queue.held(first.worker), lambda held: not held)
    finally:
        workers.stop()
    assert queue.submitted(first.id, first.worker)
    assert [task.id for task in queue.held(second.worker)] == [second.id]


def test_an_answer_that_comes_after_a_stop_is_refused(aws: FakeAws, clock: Clock, tools: type[Tools]) -> None:
    """Also before the engine has taken the tasks back."""
    harness = tools.Harness(aws, clock)
    harness.service.start()
    harness.create()
    arn = harness.describe()["LabelingJobArn"]
    held = harness.until(lambda: harness.service.queue.accept(arn, harness.worker(1)), bool)
    harness.service._engine.stop()
    harness.call("StopLabelingJob", {"LabelingJobName": "streets"})
    with pytest.raises(TaskError, match="no more answers"):
        harness.service.queue.submit(held.id, held.worker, answer(held), 1.0)
    harness.service.stop()
