"""Fakes of the two services the handler talks to; each behaves, none records expectations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import IO

from labeling_job.contract import Images
from labeling_job.event import Event, read
from labeling_job.images import staged
from labeling_job.patience import Patience
from labeling_job.storage import Storage
from tests.s3 import Objects, service_error

STACK = "arn:aws:cloudformation:eu-west-1:111122223333:stack/Streets/6c1f0c5e"
ROLE = "arn:aws:iam::111122223333:role/Streets-JobRole"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START
        self.remaining_ms = 15 * 60 * 1000

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.remaining_ms -= int(seconds * 1000)


class SageMaker:
    """Jobs that walk through `statuses`, one step each time that they are described."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: dict[str, dict] = {}
        self.statuses = ["Initializing", "InProgress"]
        self.failure_reason = "ClientError: the manifest is empty"
        self.fail: dict[str, list[Exception]] = {}
        self.stopped: list[str] = []
        self.more: dict = {}

    def _maybe_fail(self, operation: str) -> None:
        if self.fail.get(operation):
            raise self.fail[operation].pop(0)

    def create_labeling_job(self, **request) -> dict:
        self._maybe_fail("CreateLabelingJob")
        name = request["LabelingJobName"]
        if name.lower() in self.jobs:
            raise service_error("CreateLabelingJob", "ResourceInUse")
        self.jobs[name.lower()] = {
            "request": request,
            "tags": {tag["Key"]: tag["Value"] for tag in request.pop("Tags")},
            "statuses": list(self.statuses),
            "created": self.clock.now(),
        }
        self._maybe_fail("CreateLabelingJob after")
        return {"LabelingJobArn": self._arn(name)}

    def describe_labeling_job(self, LabelingJobName: str) -> dict:
        self._maybe_fail("DescribeLabelingJob")
        job = self.jobs.get(LabelingJobName.lower())
        if job is None:
            raise service_error("DescribeLabelingJob", "ResourceNotFound")
        status = job["statuses"][0]
        if len(job["statuses"]) > 1:
            job["statuses"].pop(0)
        return {
            **job["request"],
            "LabelingJobStatus": status,
            "LabelingJobArn": self._arn(LabelingJobName),
            "CreationTime": job["created"],
            "LabelCounters": {"TotalLabeled": job.get("labeled", 0)},
            "Tags": [{"Key": key, "Value": value} for key, value in job["tags"].items()],
            **(self.more if status == "InProgress" else {}),
            **({"FailureReason": self.failure_reason} if status == "Failed" else {}),
        }

    def stop_labeling_job(self, LabelingJobName: str) -> None:
        self._maybe_fail("StopLabelingJob")
        self.stopped.append(LabelingJobName)
        self.jobs[LabelingJobName.lower()]["statuses"] = ["Stopping", "Stopping", "Stopped"]

    def add_tags(self, ResourceArn: str, Tags: list) -> None:
        self._by_arn(ResourceArn)["tags"].update({tag["Key"]: tag["Value"] for tag in Tags})

    def delete_tags(self, ResourceArn: str, TagKeys: list) -> None:
        for key in TagKeys:
            self._by_arn(ResourceArn)["tags"].pop(key)

    def get_paginator(self, operation: str):
        return SimpleNamespace(paginate=getattr(self, f"_{operation}"))

    def _list_tags(self, ResourceArn: str):
        for key, value in self._by_arn(ResourceArn)["tags"].items():
            yield {"Tags": [{"Key": key, "Value": value}]}

    def _list_labeling_jobs(self, NameContains: str, SortBy: str, SortOrder: str):
        assert (SortBy, SortOrder) == ("CreationTime", "Descending")
        for name, job in reversed(self.jobs.items()):
            if NameContains in name:
                summary = {"LabelingJobName": name, "LabelingJobArn": self._arn(name)}
                yield {"LabelingJobSummaryList": [{**summary, "LabelingJobStatus": job["statuses"][0]}]}

    def _arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/{name.lower()}"

    def _by_arn(self, arn: str) -> dict:
        return self.jobs[arn.rsplit("/", 1)[1]]


class CloudFormation:
    """One stack: its status, and the id under which it has the custom resource."""

    def __init__(self) -> None:
        self.status = "UPDATE_IN_PROGRESS"
        self.physical_id: str | None = None
        self.fail: list[Exception] = []

    def describe_stacks(self, StackName: str) -> dict:
        if self.fail:
            raise self.fail.pop(0)
        return {"Stacks": [{"StackStatus": self.status}]}

    def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> dict:
        if self.physical_id is None:
            raise service_error("DescribeStackResource", "ValidationError", "Resource does not exist")
        return {"StackResourceDetail": {"PhysicalResourceId": self.physical_id}}


def published(s3, images: Images, **job) -> str | None:
    """Stage as the handler does, at once; the manifest's URI."""
    clock = Clock()
    patience = Patience(remaining_ms=lambda: clock.remaining_ms, sleep=clock.sleep, now=clock.now)
    storage = Storage(s3, patience)
    staging = staged(storage, images, **job)
    if staging is None:
        return None
    staging.publish(storage)
    return staging.manifest_uri


class S3(Objects):
    """Buckets in memory, with the calls that the handler makes."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[str] = []
        self.content_types: dict[str, str] = {}
        self.fail_after: int | None = None
        self.page = 2
        self.modified: dict[tuple[str, str], datetime] = {}
        self.listings: list[tuple[str, str]] = []

    def put_object(  # type: ignore[override]  # The handler says each object's type.
        self, Bucket: str, Key: str, Body: bytes | IO[bytes], ContentType: str
    ) -> None:
        if self.fail_after is not None and len(self.puts) >= self.fail_after:
            raise service_error("PutObject", "SlowDown")
        super().put_object(Bucket=Bucket, Key=Key, Body=Body)
        self.content_types[Key] = ContentType
        self.puts.append(Key)

    def head_object(self, Bucket: str, Key: str) -> dict:
        modified = self.modified.get((Bucket, Key), START - timedelta(days=1))
        return {**super().head_object(Bucket=Bucket, Key=Key), "LastModified": modified}

    def get_paginator(self, operation: str):
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, Bucket: str, Prefix: str):
        token: str | None = ""
        while token is not None:
            page = self.list_objects_v2(Bucket, Prefix, ContinuationToken=token)
            yield page
            token = page.get("NextContinuationToken")

    def list_objects_v2(
        self, Bucket: str, Prefix: str, Delimiter: str = "", ContinuationToken: str = ""
    ) -> dict:
        """Two entries a page; a prefix that holds a delimiter is one entry."""
        self.listings.append((Prefix, Delimiter))
        keys = sorted((k for b, k in self.objects if b == Bucket and k.startswith(Prefix)), key=str.encode)
        entries: dict[str, dict] = {}
        for key in keys:
            head, found, _ = key[len(Prefix) :].partition(Delimiter) if Delimiter else ("", "", "")
            name = f"{Prefix}{head}{found}" if found else key
            entries.setdefault(name, {"prefix": bool(found), "size": len(self.objects[Bucket, key])})
        names = [name for name in entries if name.encode() > ContinuationToken.encode()]
        page = names[: self.page]
        answer: dict = {"IsTruncated": len(names) > len(page)}
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = page[-1]
        contents = [{"Key": k, "Size": entries[k]["size"]} for k in page if not entries[k]["prefix"]]
        prefixes = [{"Prefix": k} for k in page if entries[k]["prefix"]]
        return (
            answer
            | ({"Contents": contents} if contents else {})
            | ({"CommonPrefixes": prefixes} if prefixes else {})
        )


def properties(**changes) -> dict:
    """Custom-resource properties as CloudFormation delivers them: every scalar a string."""
    request = {
        "LabelAttributeName": "streets-ref",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://in/a.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://out/labels"},
        "RoleArn": ROLE,
        "HumanTaskConfig": {"TaskTitle": "Streets", "NumberOfHumanWorkersPerDataObject": "3"},
    }
    base = {
        "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:handler",
        "ServiceTimeout": "3000",
        "JobNamePrefix": "streets",
        "Images": {"Source": "Manifest"},
        "Request": {**request, **changes.pop("request", {})},
        "Tags": [],
    }
    return {**base, **changes}


def parsed(*args, **fields) -> Event:
    return read(event(*args, **fields))


def event(kind: str = "Create", request_id: str = "request-1", **fields) -> dict:
    base = {
        "RequestType": kind,
        "RequestId": request_id,
        "StackId": STACK,
        "LogicalResourceId": "Job",
        "ResponseURL": "http://127.0.0.1:9/answer?secret",
        "ResourceType": "Custom::SemanticSegmentationLabelingJob",
        "ResourceProperties": properties(),
    }
    return {**base, **fields}
