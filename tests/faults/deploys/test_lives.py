"""A stack's life through the real CLI: change, failure, return, and the end from each status."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.deploys.conftest import DeployedStack

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("kills")]

ENDS_AS = {
    "Initializing": "Stopped",
    "InProgress": "Stopped",
    "Stopping": "Stopped",
    "Stopped": "Stopped",
    "Completed": "Completed",
    "Failed": "Failed",
}


def test_there_and_back_again(stack: DeployedStack, fails: Callable[..., str]) -> None:
    [first] = stack.deploy("A")
    [second] = stack.deploy("B")
    assert stack.jobs() == [second] and stack.jobs("Stopped") == [first]
    [third] = stack.deploy("A")
    assert third not in (first, second) and stack.jobs() == [third]
    assert "missing property" in fails(stack.deploy, "C", other_fails=True)
    assert stack.jobs("InProgress") == stack.jobs() == [third]
    # The update had come as far as its job.
    assert len(stack.jobs("Stopped")) == 3
    why = fails(stack.deploy, "C", job_fails=True)
    assert "not-there.manifest" in why and "groundtruth?region=" in why and "log group" in why
    assert stack.jobs("InProgress") == stack.jobs() == [third] and len(stack.jobs("Failed")) == 1
    stack.destroy()
    assert stack.jobs() == [] and third in stack.jobs("Stopped")
    [again] = stack.deploy("A")
    assert stack.jobs() == [again]


def test_destroy_from_each_status(stack: DeployedStack) -> None:
    names = stack.deploy(*ENDS_AS)
    stack.plan(force=dict(zip(names, ENDS_AS, strict=True)), initializing=60, stopping=5)
    stack.destroy()
    assert stack.jobs() == []
    for name, status in zip(names, ENDS_AS.values(), strict=True):
        assert name in stack.jobs(status)
