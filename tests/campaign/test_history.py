"""What a job costs its run's history, however long it lives: the clock of labeling jobs is moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.campaign.conftest import Account, account_of

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("campaign")]


@pytest.fixture(scope="module")
def idle(tmp_path_factory: Any) -> Iterator[Account]:
    """Nobody labels anything."""
    yield from account_of(tmp_path_factory)


def events(account: Account, execution: str) -> list[str]:
    pages = account.states.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event["type"] for page in pages for event in page["events"]]


def test_a_job_of_thirty_days_costs_as_many_events_as_one_of_a_second(idle: Account) -> None:
    outputs = idle.deploy("Waits", idle.bucket("waits", 3))

    def begun(number: int) -> tuple[str, str]:
        execution = idle.begin(outputs)
        job = idle.until(lambda: idle.jobs("waits-campaign")[number:])[0]
        name = job["LabelingJobName"]
        idle.until(
            lambda: (
                idle.sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"]
                == "InProgress"
            )
        )
        return execution, name

    execution, name = begun(0)
    idle.sagemaker.stop_labeling_job(LabelingJobName=name)
    assert idle.ended(execution)["status"] == "SUCCEEDED"
    short = events(idle, execution)

    execution, name = begun(1)
    idle.aws.clock.advance(days=29)
    assert idle.states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    idle.aws.clock.advance(days=2)
    assert idle.ended(execution)["status"] == "SUCCEEDED"
    job = idle.sagemaker.describe_labeling_job(LabelingJobName=name)
    assert job["LabelingJobStatus"] == "Failed" and "30 days" in job["FailureReason"]
    long = events(idle, execution)

    assert long == short
    assert len(long) <= 40
