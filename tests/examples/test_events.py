"""A job's events reach its own rule and no other, also after a replacement."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ground_truth_local.cdk_cli import CdkCli
from ground_truth_local.server import EmbeddedAws

HERE = Path(__file__).parent

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("events")]


def stop(sagemaker: Any, arn: str) -> None:
    sagemaker.stop_labeling_job(LabelingJobName=arn.rpartition("/")[2])


def next_event(sqs: Any, url: str) -> tuple[str, str]:
    """The next of a queue, as (job's ARN, status); taken off it."""
    for _ in range(6):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            event = json.loads(message["Body"])
            [arn] = event["resources"]
            return arn, event["detail"]["LabelingJobStatus"]
    raise AssertionError("a minute without an event")


def test_a_rule_hears_of_its_own_job_and_follows_a_replacement() -> None:
    # Nobody labels here, so a job's only event is the one that this test brings about.
    with EmbeddedAws() as aws:
        sqs, sagemaker, events = (aws.session().client(name) for name in ("sqs", "sagemaker", "events"))
        context = {
            "workteam": aws.create_workteam("annotators"),
            "photos": str(HERE.parents[1] / "examples" / "photos"),
        }
        app = f"{sys.executable} {HERE / 'two_jobs.py'}"
        first = CdkCli(app, aws.environment, context=context).deploy()["Events"]
        second = CdkCli(app, aws.environment, context={**context, "title": "Second"}).deploy()["Events"]
        assert first["JobA"] != second["JobA"] and first["JobB"] == second["JobB"]
        patterns = {
            tuple(json.loads(events.describe_rule(Name=rule["Name"])["EventPattern"])["resources"])
            for rule in events.list_rules()["Rules"]
            if rule.get("EventPattern") and "Labeling Job" in rule["EventPattern"]
        }
        assert patterns == {(second["JobA"],), (second["JobB"],)}

        # CloudFormation's clean-up stopped the replaced job: the rule had left it by then.
        stop(sagemaker, second["JobA"])
        assert next_event(sqs, second["QueueAUrl"]) == (second["JobA"], "Stopped")
        # The event of A was delivered, and the first that B's queue hears of is B's.
        stop(sagemaker, second["JobB"])
        assert next_event(sqs, second["QueueBUrl"]) == (second["JobB"], "Stopped")
        for name in ("QueueAUrl", "QueueBUrl"):
            assert not sqs.receive_message(QueueUrl=second[name], WaitTimeSeconds=1).get("Messages")
