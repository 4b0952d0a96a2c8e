"""Objects asked for without an SDK's work: the same requests and answers as botocore's, and its refusals."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError, ParamValidationError

from ground_truth_local.inside import InsideSession
from ground_truth_local.object_calls import ObjectCalls, signature
from ground_truth_local.role_session import RoleSession, SharedClients

SUMS = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
PATHS = Config(s3={"addressing_style": "path"}, **SUMS)
ROLE = ReadOnlyCredentials("ASIAROLE", "secret", "token")
#: What botocore adds for itself, and what depends on the moment.
_OWN = {
    b"user-agent",
    b"expect",
    b"amz-sdk-invocation-id",
    b"amz-sdk-request",
    b"authorization",
    b"x-amz-date",
}
ANSWER = {
    "etag": '"e"',
    "content-length": "7",
    "content-type": "image/png",
    "last-modified": "Fri, 27 Nov 2026 08:00:00 GMT",
    "x-amz-version-id": "v1",
    "x-amz-meta-by": "ada",
    "x-amz-server-side-encryption": "aws:kms",
}


class App:
    """Answers each request with the next status, and notes it."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.headers = dict(ANSWER)
        self.asked: list[tuple[str, str, bytes, dict[bytes, bytes], bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        headers = dict(scope["headers"])
        assert len(headers) == len(scope["headers"]), "no header twice"
        self.asked.append((scope["method"], scope["path"], scope["raw_path"], headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        content = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
        content = content if status >= 300 else b"picture" if scope["method"] == "GET" else b""
        told = {**self.headers, "content-length": str(len(content))}
        listed = [(name.encode(), value.encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def client(app: App) -> Iterator[Any]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield RoleSession(
        SharedClients("http://127.0.0.1:1", InsideSession(app, loop)), ROLE, "eu-west-1"
    ).client("s3", PATHS)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def botocores(client: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call an operation with botocore alone."""

    def call(name: str, **parameters: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(ObjectCalls, "answer", lambda *_: None)
            return getattr(client, name)(**parameters)

    return call


CALLS = [
    ("get_object", {"Key": "a.png"}),
    ("get_object", {"Key": "Ä b/c:d+e~(1)'&?#%41.png"}),
    ("get_object", {"Key": "/a//b/../c/"}),
    (
        "put_object",
        {"Key": "a/2026-11-27T08:00:00.123456.png", "Body": b"picture", "ContentType": "image/png"},
    ),
    ("put_object", {"Key": "empty", "Body": b""}),
    (
        "put_object",
        {
            "Key": "k",
            "Body": b"{}",
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": "arn:aws:kms:x:1:key/a",
        },
    ),
]


@pytest.mark.parametrize(("name", "parameters"), CALLS)
def test_request_and_answer_are_those_of_botocore(
    app: App, client: Any, botocores: Any, name: str, parameters: dict[str, Any]
) -> None:
    quick = getattr(client, name)(Bucket="a-bucket", **parameters)
    slow = botocores(name, Bucket="a-bucket", **parameters)
    mine, theirs = app.asked
    assert b"amz-sdk-request" in theirs[3], "the second request is botocore's"
    assert b"amz-sdk-request" not in mine[3], "the first one isn't"
    for asked in (mine, theirs):
        headers = asked[3]
        assert headers[b"authorization"].startswith(b"AWS4-HMAC-SHA256 Credential=ASIAROLE/")
        for each in _OWN:
            headers.pop(each, None)
    if name == "get_object":
        assert quick.pop("Body").read() == slow.pop("Body").read() == b"picture"
    assert mine == theirs
    assert quick == slow


def test_the_signature_is_the_one_of_the_guides_example() -> None:
    """S3 API Reference, "Signature calculations for the Authorization header", example "GET Object"."""
    headers = {
        "host": "examplebucket.s3.amazonaws.com",
        "range": "bytes=0-9",
        "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-amz-date": "20130524T000000Z",
    }
    example = ReadOnlyCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
    assert signature("GET", "/test.txt", headers, "us-east-1", example) == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_refusal_is_botocores_own(app: App, client: Any) -> None:
    app.statuses = [403, 403]
    with pytest.raises(ClientError) as refused:
        client.get_object(Bucket="a-bucket", Key="a")
    assert refused.value.response["Error"] == {"Code": "AccessDenied", "Message": "No."}
    assert [b"amz-sdk-request" in headers for _, _, _, headers, _ in app.asked] == [False, True]


def test_what_fails_once_is_asked_for_again(app: App, client: Any) -> None:
    app.statuses = [503]
    client.put_object(Bucket="a-bucket", Key="a", Body=b"picture")
    assert [(path, body) for _, path, _, _, body in app.asked] == 2 * [("/a-bucket/a", b"picture")]


def test_an_answer_that_botocore_completes_is_left_to_it(app: App, client: Any) -> None:
    app.headers["expires"] = "Sat, 28 Nov 2026 08:00:00 GMT"
    assert client.get_object(Bucket="a-bucket", Key="a")["ExpiresString"] == app.headers["expires"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"Range": "bytes=0-1"},
        {"VersionId": "v1"},
    ],
)
def test_what_isnt_plain_goes_botocores_way(app: App, client: Any, parameters: dict[str, str]) -> None:
    client.get_object(Bucket="a-bucket", Key="a", **parameters)
    [(*_, headers, _)] = app.asked
    assert b"amz-sdk-request" in headers


@pytest.mark.parametrize(
    "parameters",
    [{"Bucket": "no/bucket", "Key": "a"}, {"Bucket": "a-bucket", "Key": ""}, {"Bucket": "a-bucket"}],
)
def test_what_botocore_refuses_is_refused(app: App, client: Any, parameters: dict[str, str]) -> None:
    with pytest.raises(ParamValidationError):
        client.get_object(**parameters)
    assert app.asked == []
