"""Plays the rows on the embedded AWS: a service of its own, in this process, over an AWS in memory."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import boto3
from PIL import Image

from ..service.api import GroundTruthService
from ..service.pace import Pace
from ..service.teams import team_arn
from . import asking
from .front import Front
from .memory_aws import CORS, Bucket, MemoryAws
from .play import PATIENCE_SECONDS, Play, PlayError
from .rows import Row

_ACCOUNT = "111122223333"
_REGION = "eu-west-1"
_ELSEWHERE = "us-west-2"
_AT_ONCE = Pace(initializing=0.0, stopping=0.0, poll=0.005, manifest_every=0.0, telemetry_every=0.0)
_SLOW = replace(_AT_ONCE, initializing=60.0, set_up=120.0, stopping=60.0)
_TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-semantic-segmentation name="crowd-semantic-segmentation"
  src="{{ task.input.taskObject | grant_read_access }}" header="Paint"
  labels="{{ task.input.labels | to_json | escape }}"><full-instructions header="How">x</full-instructions>
<short-instructions>y</short-instructions></crowd-semantic-segmentation></crowd-form>"""
_LARGE = 40 * 1024 * 1024 + 1
_CATEGORIES = '{"document-version": "2018-11-28", "labels": [{"label": "road"}, {"label": "sky"}]}'


def _picture(kind: str) -> bytes | None:
    if kind == "large":
        return bytes(_LARGE)
    if kind == "huge":
        return _huge()
    if kind in ("missing", "text"):
        return None if kind == "missing" else b"no picture"
    image, buffer = Image.new("RGB", (12, 8), "grey"), io.BytesIO()
    if kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(buffer, "JPEG", exif=exif)
    else:
        image.save(buffer, {"png": "PNG", "gif": "GIF", "jpeg": "JPEG"}[kind])
    return buffer.getvalue()


def _huge() -> bytes:
    """A PNG that says it has 400 million pixels; nobody gets beyond its header."""
    data = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data)) + end


class Stage:
    """One service for all rows, and a slow one; each row has its own job and its own files."""

    def __init__(self) -> None:
        role = f"arn:aws:iam::{_ACCOUNT}:role/labeling"
        team = team_arn(_ACCOUNT, _REGION, "annotators")
        self.place = asking.Place(
            account=_ACCOUNT, region=_REGION, role=role, workteam=team, files="s3://input"
        )
        self._aws = MemoryAws(_REGION, role)
        self._aws.buckets["elsewhere"] = Bucket(_ELSEWHERE)
        self._services = {
            slow: GroundTruthService(None, self._aws, workteams=[team], pace=_SLOW if slow else _AT_ONCE)
            for slow in (False, True)
        }
        self._fronts = {
            slow: Front(service, account=_ACCOUNT, region=_REGION) for slow, service in self._services.items()
        }
        self._clients: dict[bool, Any] = {}

    def __enter__(self) -> Self:
        session = boto3.Session(aws_access_key_id="AKIA", aws_secret_access_key="x", region_name=_REGION)
        for slow, front in self._fronts.items():
            self._services[slow].start()
            front.__enter__()
            self._clients[slow] = asking.client(_REGION, endpoint=front.url, session=session)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for slow, front in self._fronts.items():
            front.__exit__(kind, error, trace)
            self._services[slow].stop()

    @property
    def service(self) -> GroundTruthService:
        """The service that answers at once."""
        return self._services[False]

    def play(self, row: Row) -> dict[str, Any]:
        """Play a row; return what is seen afterwards."""
        self._prepare(row)
        first = len(self._aws.metrics)
        client = self._clients[row.slow]
        seen = asking.ask(client, row.call, asking.request(row, self.place))
        if "answer" in seen and row.call == "CreateLabelingJob":
            arn = seen["answer"]["LabelingJobArn"]
            play = Play(self._services[row.slow], self._aws, client, row, arn)
            seen |= play.run() | self._told(row, arn, first)
        self._aws.denied.clear()
        self._aws.buckets["input"].cors[:] = [dict(rule) for rule in CORS]
        return seen

    def _told(self, row: Row, arn: str, first: int) -> dict[str, Any]:
        """Events, metrics and logs of a job that has ended; the event of its end is the last of them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        events: list[dict[str, Any]] = []
        while not any(event["detail_type"].endswith("Job State Change") for event in events):
            if time.monotonic() > deadline:
                raise PlayError(f"{row.name}: nobody heard of the job's end")
            time.sleep(0.002)
            events = [event for event in list(self._aws.events) if event["resources"] == [arn]]
        return {
            "events": [{"type": event["detail_type"], "detail": event["detail"]} for event in events],
            "metrics": [
                {
                    "name": metric["MetricName"],
                    "namespace": namespace,
                    "dimensions": sorted(entry["Name"] for entry in metric["Dimensions"]),
                }
                for namespace, metric in self._aws.metrics[first:]
            ],
            "logs": [
                {"group": group, "stream": stream, "text": text}
                for group, stream, text in self._aws.logs
                if stream == row.name
            ],
        }

    def _prepare(self, row: Row) -> None:
        base = f"s3://input/{row.name}"
        lines = []
        for index in range(row.objects):
            data = _picture(row.images.get(str(index), "png"))
            if data is not None:
                self._aws.put(f"{base}/{index}.png", data)
            lines.append(json.dumps({"source-ref": f"{base}/{index}.png", "id": index}))
        manifest = "\n".join(lines) + "\n" if row.manifest is None else row.manifest
        for number, line in enumerate(lines):
            manifest = manifest.replace(f"{{line {number}}}", line)
        manifest = manifest.replace("{base}", base)
        self._aws.put(f"{base}/earlier.png", self._earlier())
        template = _TEMPLATE
        for old, new in row.template:
            if old not in template:
                raise PlayError(f"{row.name}: the template has no {old!r}")
            template = template.replace(old, new)
        files = {
            "input.manifest": manifest,
            "categories.json": _CATEGORIES if row.categories is None else row.categories,
            "template.html": template,
        }
        for name, text in files.items():
            self._aws.put(f"{base}/{name}", str(asking.filled(text, {})))
        self._aws.denied |= {(action, part) for action, part in row.denied}
        if row.cors is not None:
            self._aws.buckets["input"].cors[:] = row.cors

    @staticmethod
    def _earlier() -> bytes:
        """An earlier mask: all of it is the first label, in a colour of its own map."""
        buffer = io.BytesIO()
        Image.new("RGB", (12, 8), "#112233").save(buffer, "PNG")
        return buffer.getvalue()
