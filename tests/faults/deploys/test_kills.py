"""The handler's process is killed by the operating system in the middle of a real deploy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.deploys.conftest import DeployedStack

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("kills")]


@pytest.mark.parametrize(
    ("operation", "when", "times"),
    [("CreateLabelingJob", "after", 1), ("DescribeLabelingJob", "before", 2)],
)
def test_a_create_and_an_update_go_on_with_their_jobs(
    stack: DeployedStack, operation: str, when: str, times: int
) -> None:
    stack.plan(operation=operation, when=when, times=times)
    [old] = stack.deploy("A")
    assert stack.kills_left() == 0 and stack.jobs() == [old]
    stack.plan(operation=operation, when=when, times=times)
    [new] = stack.deploy("B")
    assert stack.kills_left() == 0
    assert stack.jobs() == [new] and stack.jobs("Stopped") == [old]


def test_a_create_that_never_answers_leaves_no_job(stack: DeployedStack, fails: Callable[..., str]) -> None:
    # The job is there; the process that made it is dead, and so are those that would go on with it.
    looks = {"operation": "DescribeLabelingJob", "when": "before", "times": 2}
    stack.plan(operation="CreateLabelingJob", when="after", times=1, then=looks)
    assert "Its function failed 3 times" in fails(stack.deploy, "A")
    assert stack.kills_left() == 0
    assert stack.jobs() == [] and len(stack.jobs("Stopped")) == 1


def test_an_update_that_dies_each_time_rolls_back_to_the_old_job_still_running(
    stack: DeployedStack, fails: Callable[..., str]
) -> None:
    [old] = stack.deploy("A")
    stack.plan(operation="CreateLabelingJob", when="before", times=3)
    assert "Its function failed 3 times" in fails(stack.deploy, "B")
    assert stack.kills_left() == 0
    assert stack.jobs("InProgress") == stack.jobs() == [old]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_delete_goes_on_to_the_end(stack: DeployedStack, when: str) -> None:
    names = stack.deploy("A")
    stack.plan(operation="StopLabelingJob", when=when, times=1)
    stack.destroy()
    assert stack.kills_left() == 0
    assert stack.jobs() == [] and stack.jobs("Stopped") == names
