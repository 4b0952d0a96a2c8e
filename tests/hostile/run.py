"""One hostile manifest on the whole handler, whose clock goes ten times as fast as Lambda's."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from labeling_job import entry
from labeling_job.preflight import gate, surroundings
from labeling_job.rules.findings import CHECKS
from tests.corpus import fake_aws, pictures
from tests.corpus.world import CORS, World, good_world
from tests.hostile.grammar import OBJECTS_MAX, Manifest
from tests.labeling_job import fakes
from tests.s3 import answer
from tests.sleeping import by_own_threads

#: Lambda's 15 minutes and 1,024 MB; the first is given to the handler at this pace.
SECONDS, FASTER, MEMORY_MB = 900, 10, 1_024
ANSWER_BYTES_MAX = 4_096
#: Whatever a manifest names: half a dozen calls for a bucket, two or three for an image, a few dozen besides.
CALLS_MAX = 7 * surroundings.BUCKETS_MAX + 3 * OBJECTS_MAX + 100
_JPEG = pictures.jpeg()


class Stream:
    """A body that is made while it is read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def read(self, size: int) -> bytes:
        parts, length = [self._left], len(self._left)
        while length < size and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        self._left = data[size:]
        return data[:size]

    def close(self) -> None:
        pass


class S3(fake_aws.S3):
    """Every bucket exists, and every key in it is a photograph; the manifest is the hostile one."""

    def __init__(self, aws: fake_aws.FakeAws, manifest: Manifest) -> None:
        super().__init__(aws)
        self._manifest, self._files = manifest, aws.world.input.objects

    def get_bucket_location(self, Bucket: str) -> dict[str, Any]:
        return {"LocationConstraint": self._world.region}

    def get_bucket_cors(self, Bucket: str) -> dict[str, Any]:
        return {"CORSRules": CORS}

    def get_object(self, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:
        if Key == "in.manifest" and not Range:
            return {"Body": Stream(self._manifest.chunks())}
        data = self._files.get(Key, _JPEG)
        return answer(data, Range)


class SageMaker(fakes.SageMaker):
    """The service of the handler's tests, with the team of the corpus."""

    def __init__(self, clock: Any, aws: fake_aws.FakeAws) -> None:
        super().__init__(clock)
        self._aws, self.meta = aws, SimpleNamespace(region_name=aws.world.region)

    def describe_workteam(self, WorkteamName: str) -> Any:
        return self._aws("sagemaker").describe_workteam(WorkteamName)


class Counted:
    """A client that counts what it is asked."""

    def __init__(self, client: Any, calls: Counter[str]) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        self._calls[name] += name != "meta"
        return getattr(self._client, name)


class Clock:
    """Time as the handler sees it: what its threads compute, at its pace, and what it slept."""

    def __init__(self) -> None:
        self._started, self._slept = time.process_time(), 0.0

    def __call__(self) -> float:
        return (time.process_time() - self._started) * FASTER + self._slept

    def now(self) -> Any:
        return fakes.START + timedelta(seconds=self())

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def remaining_ms(self) -> int:
        return int((SECONDS - self()) * 1_000)


def _request(world: World) -> dict[str, Any]:
    """As CloudFormation delivers it: every scalar a string."""
    text = json.loads(json.dumps(world.request), parse_int=str)
    del text["LabelingJobName"]
    return dict(text)


def run(manifest: Manifest) -> tuple[list[bytes], Counter[str], float]:
    """What was sent to CloudFormation, the calls, and the seconds of the handler's that it took."""
    world, calls, answers, clock = good_world(), Counter[str](), list[bytes](), Clock()
    aws = fake_aws.FakeAws(world)
    aws.allows = lambda action, resource: "allowed"
    iam = aws("iam")
    iam._decide = lambda *_: "allowed"
    clients = {
        "s3": S3(aws, manifest),
        "sagemaker": SageMaker(clock, aws),
        "iam": iam,
        "kms": aws("kms"),
        "cognito-idp": aws("cognito-idp"),
        "cloudformation": fakes.CloudFormation(),
    }
    counted = {name: Counted(client, calls) for name, client in clients.items()}
    context = SimpleNamespace(
        get_remaining_time_in_millis=clock.remaining_ms, log_group_name="group", log_stream_name="stream"
    )
    properties = fakes.properties(Request=_request(world), Preflight={}, WatchSeconds="0")
    fast = SimpleNamespace(sleep=clock.sleep, monotonic=clock)
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        enter(mock.patch.object(entry, "_clients", counted))
        enter(mock.patch.object(entry, "_now", clock.now))
        enter(mock.patch.object(entry, "send", lambda url, body: answers.append(entry.sent(body))))
        enter(mock.patch.object(time, "sleep", by_own_threads(clock.sleep)))
        enter(mock.patch.object(gate, "time", fast))
        enter(contextlib.redirect_stdout(io.StringIO()))
        entry.handler(fakes.event(ResourceProperties=properties), context)
    return answers, calls, clock()


def problems(manifest: Manifest) -> list[str]:
    """What of the handler's promises a manifest broke."""
    answers, calls, seconds = run(manifest)
    if len(answers) != 1:
        return [f"{len(answers)} answers"]
    found, body = [], json.loads(answers[0])
    if len(answers[0]) > ANSWER_BYTES_MAX:
        found.append(f"an answer of {len(answers[0])} bytes")
    if calls.total() > CALLS_MAX:
        found.append(f"{calls.total():,} calls")
    if seconds > SECONDS - 60:
        found.append(f"{seconds:.0f} of {SECONDS} seconds")
    if (body["Status"] == "FAILED") != bool(manifest.broken):
        found.append(f"{body['Status']}, though {manifest.broken} is broken: {body['Reason']}")
    elif manifest.broken:
        check = min(manifest.broken, key=CHECKS.index)
        line = manifest.broken[check]
        told = [text for text in body["Reason"].split("\n") if text.startswith(f"ERROR {check}")]
        where = f" line {line}:", f" lines {line}, ", f" line {line} and"
        if not told or (line and not any(words in text for text in told for words in where)):
            found.append(f"{check} of line {line} isn't told: {body['Reason']}")
    return found
