"""A stand-in for the AWS around the service: an in-memory S3 that knows roles, keys, CORS and Regions."""

from __future__ import annotations

import copy
import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from ground_truth_local.service.api import GroundTruthService, Pace
from ground_truth_local.service.types import Answer, AssumeRoleDenied, Call

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/labeling"
TEAM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
GT_ACCOUNT = "568282634449"
CORS = [
    {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["Access-Control-Allow-Origin"]}
]
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


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeBucket:
    """A bucket and what it holds."""

    region: str = REGION
    cors: list[dict[str, Any]] = field(default_factory=lambda: copy.deepcopy(CORS))
    objects: dict[str, bytes] = field(default_factory=dict)
    puts: dict[str, dict[str, Any]] = field(default_factory=dict)


class FakeS3Client:
    """The few operations the service uses, refused where the role's denials say so."""

    def __init__(self, aws: FakeAws) -> None:
        self._aws = aws

    def _bucket(self, name: str, operation: str) -> FakeBucket:
        if name not in self._aws.buckets:
            raise _error("NoSuchBucket", "The specified bucket does not exist", operation)
        return self._aws.buckets[name]

    def _check(self, permission: str, resource: str, operation: str) -> None:
        if any(permission == action and part in resource for action, part in self._aws.denied):
            raise _error(
                "AccessDenied", f"User is not authorized to perform: {permission} on {resource}", operation
            )

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        bucket = self._bucket(Bucket, "GetObject")
        self._check("s3:GetObject", f"{Bucket}/{Key}", "GetObject")
        self._check("kms:Decrypt", f"{Bucket}/{Key}", "GetObject")
        if Key not in bucket.objects:
            raise _error("NoSuchKey", "The specified key does not exist.", "GetObject")
        data = bucket.objects[Key]
        return {"Body": io.BytesIO(data), "ContentLength": len(data)}

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **options: Any) -> None:
        bucket = self._bucket(Bucket, "PutObject")
        self._check("s3:PutObject", f"{Bucket}/{Key}", "PutObject")
        if "SSEKMSKeyId" in options:
            self._check("kms:GenerateDataKey", options["SSEKMSKeyId"], "PutObject")
        bucket.objects[Key] = Body if isinstance(Body, bytes) else Body.read()
        bucket.puts[Key] = options

    def get_bucket_location(self, *, Bucket: str) -> dict[str, Any]:
        bucket = self._bucket(Bucket, "GetBucketLocation")
        self._check("s3:GetBucketLocation", Bucket, "GetBucketLocation")
        return {"LocationConstraint": None if bucket.region == "us-east-1" else bucket.region}

    def generate_presigned_url(self, operation: str, *, Params: dict[str, str], ExpiresIn: int) -> str:
        return f"http://127.0.0.1:1/{Params['Bucket']}/{Params['Key']}?X-Amz-Expires={ExpiresIn}"


class FakeAws:
    """Implements ``AwsAccess`` without any AWS."""

    def __init__(self) -> None:
        self.endpoint_url = "http://127.0.0.1:1"
        self.buckets: dict[str, FakeBucket] = {"input": FakeBucket(), "output": FakeBucket(cors=[])}
        self.denied: set[tuple[str, str]] = set()
        self.roles = {ROLE}
        self.assumed: list[tuple[str, str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.published: list[tuple[str, str]] = []

    def session_for_role(self, role_arn: str, region: str, account: str) -> Any:
        if role_arn not in self.roles:
            raise AssumeRoleDenied(f"{role_arn} is not there")
        self.assumed.append((role_arn, region, account))
        aws = self

        class Session:
            def client(self, service: str, **_: Any) -> FakeS3Client:
                assert service == "s3"
                return FakeS3Client(aws)

        return Session()

    def bucket_cors(self, bucket: str, account: str, region: str) -> list[dict[str, Any]]:
        return self.buckets[bucket].cors

    def put_event(self, **event: Any) -> None:
        self.events.append(event)

    def publish(self, topic_arn: str, message: str, *, subject: str, account: str, region: str) -> None:
        self.published.append((topic_arn, message))

    def put(self, uri: str, body: bytes | str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.buckets[bucket].objects[key] = body.encode() if isinstance(body, str) else body

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.buckets[bucket].objects[key]

    def keys(self, bucket: str, part: str = "") -> list[str]:
        return sorted(key for key in self.buckets[bucket].objects if part in key)


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
