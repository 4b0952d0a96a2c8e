"""Hears what EventBridge tells of labeling jobs, as a rule and a queue of the test's own."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ..server import EmbeddedAws

_CHANGE = "SageMaker Ground Truth Labeling Job State Change"
_ENDS = ("Completed", "Failed", "Stopped")
#: An event comes a moment after what it is about.
_PATIENCE_SECONDS = 5.0


class Listener:
    """A rule for all labeling events, for the length of a ``with``."""

    def __init__(self, aws: EmbeddedAws) -> None:
        session = aws.session()
        self._events, self._sqs = session.client("events"), session.client("sqs")
        self._name = f"ground-truth-testing-{uuid.uuid4().hex[:12]}"
        self._url = ""
        self._heard: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._url = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = asked["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self._events.put_rule(Name=self._name, EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
        self._events.put_targets(Rule=self._name, Targets=[{"Id": "queue", "Arn": arn}])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.remove_targets(Rule=self._name, Ids=["queue"])
        self._events.delete_rule(Name=self._name)
        self._sqs.delete_queue(QueueUrl=self._url)

    def heard(self, jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """What was told of each job so far; of one that has ended, once its end is among it."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            self._receive()
            told = {
                name: [event for event in self._heard if job["LabelingJobArn"] in event["resources"]]
                for name, job in jobs.items()
            }
            ended = [name for name, job in jobs.items() if job["LabelingJobStatus"] in _ENDS]
            if all(_has_end(told[name]) for name in ended) or time.monotonic() > deadline:
                return told

    def _receive(self) -> None:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", ()):
            self._heard.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def _has_end(events: list[dict[str, Any]]) -> bool:
    return any(
        event["detail-type"] == _CHANGE and event["detail"].get("LabelingJobStatus") in _ENDS
        for event in events
    )
