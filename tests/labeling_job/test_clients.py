"""What a client makes of an answer that has the right form and a value that is none."""

from __future__ import annotations

import io

import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.parsers import ResponseParserError

from labeling_job import clients
from labeling_job.errors import is_own_fault, is_passing, said

STACK_RESOURCE = """<DescribeStackResourceResponse><DescribeStackResourceResult><StackResourceDetail>
<PhysicalResourceId>job</PhysicalResourceId><LastUpdatedTimestamp>{time}</LastUpdatedTimestamp>
</StackResourceDetail></DescribeStackResourceResult></DescribeStackResourceResponse>"""
LISTED = "<ListBucketResult><Contents><Key>a.png</Key><Size>{size}</Size></Contents></ListBucketResult>"


class _Raw(io.BytesIO):
    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(clients, "_session", clients.session)


def answering(service: str, body: str) -> object:
    """A client that gets this answer, whatever it asks."""
    made = clients.client(service, Config(signature_version=UNSIGNED))
    answer = AWSResponse("http://127.0.0.1", 200, {}, _Raw(body.encode()))
    made.meta.events.register("before-send", lambda **_: answer)
    return made


def resource(time: str) -> object:
    client = answering("cloudformation", STACK_RESOURCE.format(time=time))
    return client.describe_stack_resource(StackName="s", LogicalResourceId="r")  # type: ignore[attr-defined]


def test_a_whole_answer_is_read() -> None:
    answer = resource("2026-11-27T12:00:00Z")
    assert answer["StackResourceDetail"]["LastUpdatedTimestamp"].hour == 12  # type: ignore[index]


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-27T12:61:00Z"])
def test_a_time_that_is_none_passes_like_an_answer_that_is_cut_off(time: str) -> None:
    with pytest.raises(ResponseParserError, match="a value of an answer can't be read") as caught:
        resource(time)
    assert is_passing(caught.value) and not is_own_fault(caught.value)
    assert said(caught.value) == "an answer can't be read"


def test_a_number_that_is_none() -> None:
    with pytest.raises(ResponseParserError, match="invalid literal"):
        answering("s3", LISTED.format(size="")).list_objects_v2(Bucket="b")  # type: ignore[attr-defined]


def test_a_mistake_of_the_caller_stays_one() -> None:
    with pytest.raises(TypeError, match="keyword arguments"):
        answering("s3", LISTED.format(size="1")).list_objects_v2("b")  # type: ignore[attr-defined]
