"""A stand-in for the AWS around the service: an in-memory S3 that knows roles, keys, CORS and Regions."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_local.conformance.memory_aws import CORS, Bucket, MemoryAws
from ground_truth_local.service.api import GroundTruthService
from ground_truth_local.service.pace import Pace
from ground_truth_local.service.types import Answer, Call

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/labeling"
TEAM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
GT_ACCOUNT = "568282634449"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-semantic-segmentation
    name="crowd-semantic-segmentation"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="Paint"
    labels="{{ task.input.labels | to_json | escape }}"
  >
    <full-instructions header="How">x</full-instructions>
    <short-instructions>y</short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>"""


class FakeAws(MemoryAws):
    """The in-memory AWS with this folder's role."""

    def __init__(self) -> None:
        super().__init__(REGION, ROLE)


class FakeBucket(Bucket):
    """A bucket of this folder's Region."""

    def __init__(self) -> None:
        super().__init__(REGION)


def picture(width: int = 24, height: int = 16, *, seed: int = 0, kind: str = "PNG") -> bytes:
    """Return a small picture of two halves."""
    pixels = np.random.default_rng(seed).integers(0, 60, (height, width, 3), dtype=np.uint8)
    pixels[:, width // 2 :] += 150
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind)
    return buffer.getvalue()


def fill(aws: FakeAws, *, objects: int = 3, labels: tuple[str, ...] = ("road", "sky")) -> None:
    """Put a complete, correct input into the fake S3."""
    lines = []
    for index in range(objects):
        aws.put(f"s3://input/images/{index}.png", picture(seed=index))
        lines.append(json.dumps({"source-ref": f"s3://input/images/{index}.png", "id": index}))
    aws.put("s3://input/jobs/input.manifest", "\n".join(lines) + "\n")
    categories = {"document-version": "2018-11-28", "labels": [{"label": label} for label in labels]}
    aws.put("s3://input/jobs/categories.json", json.dumps(categories))
    aws.put("s3://input/jobs/template.html", TEMPLATE)


def function(name: str, *, region: str = REGION, account: str = GT_ACCOUNT) -> str:
    """Return the ARN of a function of Ground Truth's."""
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def request(name: str = "streets", **changes: Any) -> dict[str, Any]:
    """Return a correct request; ``HumanTaskConfig__TaskTitle=…`` sets a member, None removes it."""
    body: dict[str, Any] = {
        "LabelingJobName": name,
        "LabelAttributeName": "streets-ref",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://input/jobs/input.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://output/labels/"},
        "RoleArn": ROLE,
        "LabelCategoryConfigS3Uri": "s3://input/jobs/categories.json",
        "HumanTaskConfig": {
            "WorkteamArn": TEAM,
            "UiConfig": {"UiTemplateS3Uri": "s3://input/jobs/template.html"},
            "PreHumanTaskLambdaArn": function("PRE-SemanticSegmentation"),
            "TaskTitle": "Paint the street",
            "TaskDescription": "Paint each class.",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": function("ACS-SemanticSegmentation")
            },
        },
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = body
        for parent in parents:
            target = target.setdefault(parent, {})
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return body


class Clock:
    """Time that a test moves; it otherwise runs by itself, so that the engine's short delays pass."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = 0.0

    def __call__(self) -> float:
        import time

        with self._lock:
            return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._offset += seconds


class Harness:
    """A service over a fake AWS, with the calls a test makes."""

    def __init__(self, aws: FakeAws, clock: Clock, **options: Any) -> None:
        self.aws = aws
        self.clock = clock
        options.setdefault("workteams", [TEAM])
        options.setdefault("pace", Pace(initializing=0.0, stopping=0.0, poll=0.02, manifest_every=0.0))
        self.state_dir = options.pop("state_dir", None)
        self.service = GroundTruthService(self.state_dir, aws, clock=clock, **options)

    def call(self, operation: str, body: dict[str, Any], **changes: Any) -> Answer:
        values: dict[str, Any] = {
            "operation": operation,
            "body": body,
            "account": ACCOUNT,
            "region": REGION,
            "principal_arn": f"arn:aws:iam::{ACCOUNT}:user/someone",
            "access_key": "AKIA",
        } | changes
        return self.service.handle(Call(**values))

    def create(self, name: str = "streets", **changes: Any) -> Answer:
        return self.call("CreateLabelingJob", request(name, **changes))

    def describe(self, name: str = "streets") -> dict[str, Any]:
        answer = self.call("DescribeLabelingJob", {"LabelingJobName": name})
        assert answer.status == 200, answer.body
        return answer.body

    def wait(self, *statuses: str, name: str = "streets", seconds: float = 20.0) -> dict[str, Any]:
        wanted = statuses or ("Completed", "Failed", "Stopped")
        return self.until(
            lambda: self.describe(name), lambda job: job["LabelingJobStatus"] in wanted, seconds
        )

    def until(self, look: Callable[[], Any], accept: Callable[[Any], bool], seconds: float = 20.0) -> Any:
        import time

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen = look()
            if accept(seen):
                return seen
            with self.service.queue.changed:
                self.service.queue.changed.wait(0.02)
        raise AssertionError(f"not in time, last seen: {look()!r}")

    def worker(self, number: int = 1) -> str:
        return self.service.queue.members(TEAM)[number - 1].worker


class Tools:
    """What the tests share, reachable by fixture as the tests are no package."""

    ACCOUNT, REGION, ROLE, TEAM, KEY, CORS, TEMPLATE = ACCOUNT, REGION, ROLE, TEAM, KEY, CORS, TEMPLATE
    GT_ACCOUNT = GT_ACCOUNT
    FakeAws, FakeBucket, Clock, Harness = FakeAws, FakeBucket, Clock, Harness
    picture, fill, request = staticmethod(picture), staticmethod(fill), staticmethod(request)
    function = staticmethod(function)


@pytest.fixture
def tools() -> type[Tools]:
    """Return the shared helpers."""
    return Tools


@pytest.fixture
def aws() -> FakeAws:
    """Return a fake AWS with a complete, correct input."""
    fake = FakeAws()
    fill(fake)
    return fake


@pytest.fixture
def clock() -> Clock:
    """Return a clock that a test can move."""
    return Clock()


@pytest.fixture
def harness(aws: FakeAws, clock: Clock) -> Any:
    """Return a running service."""
    made = Harness(aws, clock)
    made.service.start()
    yield made
    made.service.stop()
