"""The steps of one row: what workers and others do to its job, and what is seen of it afterwards."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from PIL import Image

from ..service.api import GroundTruthService
from ..service.errors import TaskError
from ..service.masks import empty_mask, encode_answer
from ..service.tasks import Task
from . import asking
from .memory_aws import MemoryAws
from .rows import Row

PATIENCE_SECONDS = 20.0
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGER_THAN_A_STOP = "61s"
_ENDED = ("Completed", "Failed", "Stopped")


class PlayError(RuntimeError):
    """A row's steps can't be played; the message says which."""


class Play:
    """The steps of one row on its job."""

    def __init__(self, service: GroundTruthService, aws: MemoryAws, client: Any, row: Row, arn: str) -> None:
        self._service, self._aws, self._client, self._row, self._arn = service, aws, client, row, arn
        self._queue = service.queue
        self._held: dict[int, Task] = {}
        self._refusals: list[str] = []
        self._answers: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        """Play the steps, end the job and return what is seen."""
        steps: dict[str, Callable[..., None]] = {
            "take": self._take, "label": self._label, "submit": self._submit, "decline": self._decline,
            "return": self._return, "advance": self._advance, "stop": self._stop, "wait": self._wait,
            "deny": self._deny, "none": self._none, "again": self._again, "tag": self._tag,
            "untag": self._untag, "labeled": self._labeled, "verdict": self._verdict,
            "status": self._status, "describe": self._see,
        }  # fmt: skip
        for step in self._row.steps:
            verb, *words = step.split()
            if verb not in steps:
                raise PlayError(f"{self._row.name}: there is no step {verb!r}")
            steps[verb](*words)
        wanted = self._row.expect.get("job.LabelingJobStatus")
        if wanted in _ENDED:
            self._wait(wanted)
        seen = self._seen()
        if seen["job"]["LabelingJobStatus"] not in _ENDED:
            self._stop()
            if self._row.slow:
                self._advance(_LONGER_THAN_A_STOP)
            self._wait(*_ENDED)
        return seen

    def _worker(self, number: str) -> str:
        job = self._service.job(self._arn)
        assert job is not None, "just made"
        return self._queue.members(job.team)[int(number) - 1].worker

    def _until(self, look: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.005)
        raise PlayError(f"{self._row.name}: waited in vain; the job is {self._describe()}")

    def _describe(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.describe_labeling_job(LabelingJobName=self._row.name)
        return answer

    def _take(self, number: str) -> None:
        self._held[int(number)] = self._until(lambda: self._queue.accept(self._arn, self._worker(number)))

    def _none(self, number: str) -> None:
        """Nothing is offered to a worker, also after the service has looked around."""
        self._client.describe_labeling_job(LabelingJobName=self._row.name)
        task = self._queue.accept(self._arn, self._worker(number))
        if task is not None:
            raise PlayError(f"{self._row.name}: worker {number} was offered object {task.index}")

    def _label(self, number: str, class_id: str = "1") -> None:
        self._take(number)
        self._submit(number, class_id)
        if self._refusals:
            raise PlayError(f"{self._row.name}: {self._refusals[-1]}")

    def _labeled(self, count: str) -> None:
        self._until(lambda: self._describe()["LabelCounters"]["TotalLabeled"] == int(count))

    def _verdict(self, number: str, verdict: str, *comment: str) -> None:
        """A worker takes a task of a verification and judges."""
        self._take(number)
        self._hand_in(number, {"label": verdict} | ({"workerComment": " ".join(comment)} if comment else {}))

    def _submit(self, number: str, class_id: str = "1") -> None:
        task = self._held[int(number)]
        mask = empty_mask(task.height, task.width, len(task.labels))
        mask[:] = np.uint8(class_id)
        self._hand_in(number, encode_answer(mask, task.labels))

    def _hand_in(self, number: str, answer: dict[str, Any]) -> None:
        task = self._held.pop(int(number))
        try:
            self._queue.submit(task.id, task.worker, {task.element: answer}, 1.0)
        except TaskError as error:
            self._refusals.append(str(error))

    def _decline(self, number: str) -> None:
        if int(number) not in self._held:
            self._take(number)
        task = self._held.pop(int(number))
        self._queue.decline(task.id, task.worker)

    def _return(self, number: str) -> None:
        self._take(number)
        task = self._held.pop(int(number))
        self._queue.return_task(task.id, task.worker)

    def _advance(self, amount: str) -> None:
        self._service.clock.advance(float(amount[:-1]) * _UNITS[amount[-1]])
        self._queue.notify()

    def _stop(self) -> None:
        self._answers.append(asking.ask(self._client, "StopLabelingJob", {"LabelingJobName": self._row.name}))

    def _again(self) -> None:
        body = {**self._describe_request(), "LabelingJobName": self._row.name.upper()}
        self._answers.append(asking.ask(self._client, "CreateLabelingJob", body))

    def _describe_request(self) -> dict[str, Any]:
        job = self._service.job(self._arn)
        assert job is not None, "just made"
        return job.request

    def _tag(self, key: str, value: str) -> None:
        body = {"ResourceArn": self._arn, "Tags": [{"Key": key, "Value": value}]}
        self._answers.append(asking.ask(self._client, "AddTags", body))

    def _untag(self, key: str) -> None:
        body = {"ResourceArn": self._arn, "TagKeys": [key]}
        self._answers.append(asking.ask(self._client, "DeleteTags", body))

    def _deny(self, action: str, part: str = "") -> None:
        self._aws.denied.add((action, part))

    def _status(self, status: str) -> None:
        """Wait for a status, whether the job's data is loaded or not."""
        self._until(lambda: self._describe()["LabelingJobStatus"] == status)

    def _see(self, case: str = "") -> None:
        """Describe the job by its name, or by its name in upper case."""
        name = self._row.name.upper() if case == "upper" else self._row.name
        self._answers.append(asking.ask(self._client, "DescribeLabelingJob", {"LabelingJobName": name}))

    def _wait(self, *statuses: str) -> None:
        """Wait for one of the statuses, and for the data of a job in progress."""

        def look() -> bool:
            job = self._service.job(self._arn)
            assert job is not None, "just made"
            return job.status in statuses and (job.loaded or job.status != "InProgress")

        self._until(look)

    def _seen(self) -> dict[str, Any]:
        job = self._describe()
        job.pop("ResponseMetadata")
        prefix = f"labels/{self._row.name}/"
        keys = [key.removeprefix(prefix) for key in self._aws.keys("output", prefix)]
        responses = [
            answer
            for key in keys
            if key.startswith("annotations/worker-response/")
            for answer in json.loads(self._aws.get(f"s3://output/{prefix}{key}"))["answers"]
        ]
        return {
            "job": job,
            "tags": {tag["Key"]: tag["Value"] for tag in job.get("Tags", [])},
            "output": self._output(job),
            "files": keys,
            "responses": responses,
            "refusals": self._refusals,
            "answers": self._answers,
            "published": [json.loads(message) for _, message in self._aws.published],
            "encrypted": sorted(
                {
                    options.get("SSEKMSKeyId", "")
                    for key, options in self._aws.buckets["output"].puts.items()
                    if key.startswith(prefix)
                }
            ),
            "mask": self._mask(job),
        }

    def _output(self, job: dict[str, Any]) -> list[Any]:
        uri = job.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri")
        return [json.loads(line) for line in self._aws.get(uri).splitlines()] if uri else []

    def _mask(self, job: dict[str, Any]) -> dict[str, Any]:
        """The first mask's size and colours, read apart from the service's own decoder."""
        for line in self._output(job):
            uri = line.get(job["LabelAttributeName"])
            if isinstance(uri, str) and uri.startswith("s3://output/"):
                with Image.open(io.BytesIO(self._aws.get(uri))) as image:
                    colors = image.convert("RGB").getcolors(1 << 16) or []
                    shown = sorted("#" + bytes(cast("tuple[int, ...]", color)).hex() for _, color in colors)
                    return {"format": image.format, "size": list(image.size), "colors": shown}
        return {}
