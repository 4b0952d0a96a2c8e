"""The check of the embedded AWS's answers finds what it is there for; all other tests are held to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from tests.answers.operations import Operation, Request, operation_of
from tests.answers.shapes import faults_of
from tests.answers.watching import watched

RESOURCE = """<DescribeStackResourceResponse><DescribeStackResourceResult><StackResourceDetail>
<LogicalResourceId>Job</LogicalResourceId><ResourceType>Custom::Job</ResourceType>{more}
</StackResourceDetail></DescribeStackResourceResult></DescribeStackResourceResponse>"""
TIME = "<LastUpdatedTimestamp>{}</LastUpdatedTimestamp>"
STATUS = "<ResourceStatus>CREATE_FAILED</ResourceStatus>"
JOB = {
    "LabelingJobStatus": "Failed",
    "LabelCounters": {},
    "CreationTime": 1.5,
    "LastModifiedTime": 1.5,
    "JobReferenceCode": "code",
    "LabelingJobName": "job",
    "LabelingJobArn": "arn",
    "InputConfig": {"DataSource": {}},
    "OutputConfig": {"S3OutputPath": "s3://b/p"},
    "RoleArn": "arn",
    "HumanTaskConfig": {
        "WorkteamArn": "arn",
        "UiConfig": {},
        "TaskTitle": "t",
        "TaskDescription": "t",
        "NumberOfHumanWorkersPerDataObject": 1,
        "TaskTimeLimitInSeconds": 60,
    },
}


def faults(
    service: str, name: str, body: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> list[str]:
    model = botocore.session.get_session().get_service_model(service)
    operation = Operation(model.operation_model(name), model.protocol)
    return faults_of(operation, status, headers or {}, body.encode())


def of_resource(more: str) -> list[str]:
    return faults("cloudformation", "DescribeStackResource", RESOURCE.format(more=more))


def test_a_whole_answer_has_no_fault() -> None:
    assert of_resource(STATUS + TIME.format("2026-11-27T12:00:00.5Z")) == []
    assert faults("sagemaker", "DescribeLabelingJob", json.dumps(JOB)) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (STATUS + TIME.format(""), "the time '' has another form"),
        (STATUS + TIME.format("2026-11-27 12:00:00"), "the time '2026-11-27 12:00:00' has another form"),
        (STATUS, ".StackResourceDetail.LastUpdatedTimestamp is missing"),
        (
            STATUS.replace("CREATE_FAILED", "BROKEN") + TIME.format("2026-11-27T12:00:00Z"),
            ".StackResourceDetail.ResourceStatus is 'BROKEN', no ResourceStatus",
        ),
    ],
)
def test_what_is_wrong_in_xml(more: str, told: str) -> None:
    assert told in of_resource(more)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"CreationTime": "2026-11-27T12:00:00Z"}, "the time '2026-11-27T12:00:00Z' is no number"),
        ({"CreationTime": ""}, "the time '' is no number"),
        ({"FailureReason": None}, ".FailureReason is null, no string"),
        ({"LabelingJobStatus": "Gone"}, ".LabelingJobStatus is 'Gone', no LabelingJobStatus"),
        ({"LabelCounters": {"TotalLabeled": "1"}}, ".LabelCounters.TotalLabeled is '1', no integer"),
        ({"LabelCounters": {"TotalLabeled": True}}, ".LabelCounters.TotalLabeled is True, no integer"),
        ({"Status": "Failed"}, ".Status is unknown"),
    ],
)
def test_what_is_wrong_in_json(change: dict[str, Any], told: str) -> None:
    assert told.replace("null", "None") in faults(
        "sagemaker", "DescribeLabelingJob", json.dumps(JOB | change)
    )


def test_what_is_wrong_in_an_error_and_in_a_header() -> None:
    assert faults("sagemaker", "DescribeLabelingJob", "{}", 400) == [
        "an error without code or message: b'{}'"
    ]
    said = json.dumps({"__type": "ResourceNotFound", "message": "no"})
    assert faults("sagemaker", "DescribeLabelingJob", said, 400) == []
    assert faults("s3", "HeadObject", "", 404) == []
    header = {"last-modified": "2026-11-27T12:00:00"}
    assert "the time '2026-11-27T12:00:00' has another form" in faults("s3", "HeadObject", "", headers=header)


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "name"),
    [
        ("GET", "/bucket", "list-type=2&prefix=a", {}, "ListObjectsV2"),
        ("GET", "/bucket", "prefix=a", {}, "ListObjects"),
        ("GET", "/bucket", "cors", {}, "GetBucketCors"),
        ("GET", "/bucket", "lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("GET", "/bucket/a/b.png", "", {}, "GetObject"),
        ("PUT", "/bucket/a/b.png", "", {}, "PutObject"),
        ("PUT", "/bucket/a/b.png", "", {"x-amz-copy-source": "b/c"}, "CopyObject"),
        ("PUT", "/bucket/a", "partNumber=1&uploadId=u", {}, "UploadPart"),
        ("GET", "/", "", {}, "ListBuckets"),
    ],
)
def test_an_address_is_of_an_operation(
    method: str, path: str, query: str, headers: dict[str, str], name: str
) -> None:
    request = Request(service="s3", method=method, path=path, query=query, headers=headers, body=b"")
    found = operation_of(request)
    assert found is not None and found.name == f"s3.{name}"


def watch(tmp_path: Path, *messages: dict[str, Any], path: str = "/", body: bytes = b"{}") -> str:
    """What is noted of an exchange with an application that answers so."""
    file = tmp_path / "faults.txt"
    signed = b"AWS4-HMAC-SHA256 Credential=AKIA/20261127/us-east-1/sagemaker/aws4_request, Signature=s"
    headers = [(b"authorization", signed), (b"x-amz-target", b"SageMaker.DescribeLabelingJob")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        assert message in messages

    exchange = watched(app, str(file))(scope, receive, send)
    # It waits for nothing and needs no loop, of which Playwright may have one in this thread.
    with pytest.raises(StopIteration):
        exchange.send(None)
    return file.read_text() if file.exists() else ""


def test_a_server_notes_its_faults(tmp_path: Path) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": []}
    whole = {"type": "http.response.body", "body": json.dumps(JOB).encode()}
    half = {"type": "http.response.body", "body": b"{", "more_body": True}
    assert watch(tmp_path, start, whole) == ""
    # What breaks off on purpose is nobody's fault.
    assert watch(tmp_path, start, half) == ""
    bad = {"type": "http.response.body", "body": json.dumps(JOB | {"RoleArn": None}).encode()}
    assert "sagemaker.DescribeLabelingJob 200: .RoleArn is None, no string\n" in watch(tmp_path, start, bad)


def test_a_server_notes_what_a_handler_has_no_words_for(tmp_path: Path) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": []}
    said = json.dumps({"Status": "FAILED", "Reason": "a fault of the handler itself, at x.py:3"}).encode()
    noted = watch(tmp_path, start, path="/_ministack/cfn-response/token", body=said)
    assert "a fault of the handler itself, at x.py:3" in noted
