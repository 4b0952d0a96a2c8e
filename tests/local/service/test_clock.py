"""The clock of tasks, objects and jobs is moved by hand, and only forward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ground_truth_local.door import ADVANCE
from ground_truth_local.service.errors import TaskError
from tests.local.service.conftest import Clock, FakeAws, Tools
from tests.local.service.test_queue import answer


def advance(harness, seconds):
    return harness.call(ADVANCE, {"Seconds": seconds})


def test_a_task_an_object_and_a_job_come_to_their_end(harness: Any, aws: FakeAws, tools: type[Tools]) -> None:
    tools.fill(aws, objects=2)
    harness.create(HumanTaskConfig__TaskAvailabilityLifetimeInSeconds=3_600)
    arn = harness.describe()["LabelingJobArn"]
    task = harness.until(lambda: harness.service.queue.accept(arn, harness.worker()), bool)
    assert advance(harness, 601).status == 200
    # By now it may have been taken back.
    with pytest.raises(TaskError, match=r"time limit is over|no longer\) in this worker's hands"):
        harness.service.queue.submit(task.id, task.worker, answer(task), 1.0)
    harness.until(lambda: harness.service.queue.accept(arn, harness.worker(2)), bool)
    advance(harness, 3_600)
    job = harness.wait()
    assert job["LabelCounters"]["FailedNonRetryableError"] == 2
    harness.create("later")
    harness.wait("InProgress", name="later")
    advance(harness, 31 * 24 * 3_600)
    assert "30 days" in harness.wait(name="later")["FailureReason"]


def test_a_restart_goes_on_from_the_moved_time(
    aws: FakeAws, clock: Clock, tools: type[Tools], tmp_path: Path
) -> None:
    first = tools.Harness(aws, clock, state_dir=tmp_path)
    moved = advance(first, 1_000_000).body
    first.service.stop()
    second = tools.Harness(aws, clock, state_dir=tmp_path)
    answer = advance(second, 0).body
    second.service.stop()
    assert answer["OffsetSeconds"] == 1_000_000
    assert answer["Now"] >= moved["Now"]


@pytest.mark.parametrize("seconds", [-1, "1", None, True, 1e30, float("nan")])
def test_a_clock_is_not_moved_by_nonsense(harness: Any, seconds) -> None:
    assert advance(harness, seconds).body["__type"] == "ValidationException"
    assert advance(harness, 0).body["OffsetSeconds"] == 0


def test_only_who_is_allowed_may_move_it(harness: Any, tools: type[Tools]) -> None:
    from ground_truth_local.service.types import Call

    call = Call(
        operation=ADVANCE,
        body={},
        account=tools.ACCOUNT,
        region=tools.REGION,
        principal_arn="",
        access_key="",
    )
    (check,) = harness.service.authorization(call)
    assert (check.action, check.resource_arn) == (f"sagemaker:{ADVANCE}", "*")


def test_other_tools_put_their_tags_on_a_job(aws: FakeAws, clock: Clock, tools: type[Tools]) -> None:
    harness = tools.Harness(aws, clock, foreign_tags={"auto:creator": "ada", "mine": "theirs"})
    harness.create(Tags=[{"Key": "mine", "Value": "ours"}])
    tags = {tag["Key"]: tag["Value"] for tag in harness.describe()["Tags"]}
    harness.service.stop()
    assert tags == {"auto:creator": "ada", "mine": "ours"}
