"""Tasks: who gets what, for how long, and which answers count."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import numpy as np
import pytest

from ground_truth_local.service.errors import TaskError
from ground_truth_local.service.masks import encode_answer
from tests.local.service.conftest import Clock, Tools


@pytest.fixture
def queue(harness: Any):
    harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=2)
    arn = harness.describe()["LabelingJobArn"]
    harness.until(
        lambda: harness.service.queue.open_tasks(harness.worker()), lambda jobs: jobs and jobs[0].open == 3
    )
    harness.arn = arn
    return harness.service.queue


def answer(task, class_id=1):
    mask = np.full((task.height, task.width), class_id, dtype=np.uint8)
    return {task.element: encode_answer(mask, task.labels)}


def test_the_list_shows_what_a_portal_needs(queue, harness: Any) -> None:
    (tasks,) = queue.open_tasks(harness.worker())
    assert (tasks.job, tasks.name, tasks.title) == (harness.arn, "streets", "Paint the street")
    assert (tasks.time_limit_seconds, tasks.open) == (600, 3)


def test_a_task_knows_its_object(queue, harness: Any) -> None:
    task = queue.accept(harness.arn, harness.worker())
    assert (task.index, task.line["id"], str(task.source)) == (0, 0, "s3://input/images/0.png")
    assert (task.width, task.height, task.labels) == (24, 16, ("road", "sky"))
    assert task.deadline - task.accepted == 600


def test_each_object_goes_to_different_workers(queue, harness: Any) -> None:
    first = queue.accept(harness.arn, harness.worker(1))
    second = queue.accept(harness.arn, harness.worker(2))
    third = queue.accept(harness.arn, harness.worker(3))
    assert [first.index, second.index, third.index] == [0, 0, 1]
    assert queue.accept(harness.arn, harness.worker(1)).index == 1


def test_an_answer_is_on_the_disk_before_the_worker_is_thanked(queue, harness: Any) -> None:
    """No kill can show it: what a process has written outlives it, and a power cut may take it."""
    task = queue.accept(harness.arn, harness.worker())
    done: list[str] = []
    connection = queue._store._connection
    connection.set_trace_callback(done.append)
    queue.submit(task.id, task.worker, answer(task), 1.0)
    connection.set_trace_callback(None)
    begun, kept = done.index("PRAGMA synchronous = FULL"), done.index("PRAGMA synchronous = OFF")
    within = " ".join(done[begun:kept])
    assert "SET state = 'submitted'" in within and within.endswith("COMMIT")


def test_nobody_gets_an_object_twice_however_many_ask_at_once(queue, harness: Any) -> None:
    workers = [harness.worker(number) for number in range(1, 10)]
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        tasks = list(pool.map(lambda worker: queue.accept(harness.arn, worker), workers * 3))
    given = [(task.index, task.worker) for task in tasks if task]
    assert len(given) == len(set(given)) == 6


def test_a_worker_of_another_team_gets_nothing(queue, harness: Any, tools: type[Tools]) -> None:
    other = f"arn:aws:sagemaker:{tools.REGION}:{tools.ACCOUNT}:workteam/private-crowd/others"
    harness.service.add_workteam(other)
    stranger = harness.service.teams.add_member(other, "stranger").worker
    assert queue.open_tasks(stranger) == []
    with pytest.raises(TaskError, match="not in the work team"):
        queue.accept(harness.arn, stranger)


def test_a_returned_task_may_be_taken_again_a_declined_one_not(queue, harness: Any) -> None:
    worker = harness.worker()
    queue.return_task(queue.accept(harness.arn, worker).id, worker)
    task = queue.accept(harness.arn, worker)
    assert task.index == 0
    queue.decline(task.id, worker)
    assert queue.accept(harness.arn, worker).index == 1
    assert queue.accept(harness.arn, harness.worker(2)).index == 0


def test_a_task_whose_time_is_over_goes_back(queue, harness: Any, clock: Clock) -> None:
    task = queue.accept(harness.arn, harness.worker())
    clock.advance(601)
    with pytest.raises(TaskError, match="time limit is over"):
        queue.submit(task.id, task.worker, answer(task), 1.0)
    harness.until(lambda: queue.open_tasks(harness.worker()), lambda jobs: jobs and jobs[0].open == 3)


def test_only_its_own_worker_may_answer_and_only_once(queue, harness: Any) -> None:
    task = queue.accept(harness.arn, harness.worker(1))
    with pytest.raises(TaskError, match="worker's hands"):
        queue.submit(task.id, harness.worker(2), answer(task), 1.0)
    queue.submit(task.id, task.worker, answer(task), 1.0)
    with pytest.raises(TaskError, match="worker's hands"):
        queue.submit(task.id, task.worker, answer(task), 1.0)


def test_an_answer_must_be_the_elements(queue, harness: Any) -> None:
    task = queue.accept(harness.arn, harness.worker())
    good = answer(task)
    bad = {
        "must have the key": {"other": good[task.element]},
        "inputImageProperties must be": {
            task.element: good[task.element] | {"inputImageProperties": {"height": 1, "width": 1}}
        },
        "no labelMappings": {task.element: {"inputImageProperties": {"height": 16, "width": 24}}},
    }
    for message, content in bad.items():
        with pytest.raises(TaskError, match=message):
            queue.submit(task.id, task.worker, content, 1.0)
    queue.submit(task.id, task.worker, good | {"note": "another field of the form"}, 1.0)


def test_the_page_is_the_template_for_the_object(queue, harness: Any) -> None:
    task = queue.accept(harness.arn, harness.worker())
    page = harness.service.page(task)
    assert "http://127.0.0.1:1/input/images/0.png?X-Amz-Expires=" in page
    assert 'labels="[&#34;road&#34;, &#34;sky&#34;]"' in page
