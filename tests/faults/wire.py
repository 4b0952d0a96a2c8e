"""The AWS that the handler sees: real boto3 clients whose requests are answered in this process.

Requests are serialized, retried and parsed by botocore as against AWS; only the socket is missing. SageMaker
is the embedded Ground Truth service, CloudFormation the simulated one, S3 a dictionary.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from urllib3.exceptions import ProtocolError

from ground_truth_local.service.api import GroundTruthService
from ground_truth_local.service.types import Call

ACCOUNT = "111122223333"
REGION = "eu-west-1"
HANDLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/handler/handler"

_OF_BUCKET = {
    "GetBucketLocation": f"<LocationConstraint>{REGION}</LocationConstraint>",
    "GetBucketCors": "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>"
    "<AllowedOrigin>*</AllowedOrigin><ExposeHeader>Access-Control-Allow-Origin</ExposeHeader>"
    "</CORSRule></CORSConfiguration>",
}
#: As many people as label each object.
_TEAM = json.dumps({"Users": [{"Username": name} for name in ("ada", "grace", "katherine")]}).encode()


@dataclass(frozen=True)
class Request:
    """One call of the handler's, as it goes over the wire."""

    service: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"


class _Raw(io.BytesIO):
    def stream(self, **_):
        while chunk := self.read(1 << 20):
            yield chunk


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> AWSResponse:
    return AWSResponse("http://127.0.0.1", status, dict(headers or {}), _Raw(body))


class _Broken(_Raw):
    """A body that ends early, with the error that urllib3 has for it or without one."""

    def __init__(self, body: bytes, says: bool) -> None:
        super().__init__(body)
        self._says = says

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data and size and self._says:
            raise ProtocolError("Connection broken: IncompleteRead(1 bytes read, 1 more expected)")
        return data


def cut(answer: AWSResponse, *, says: bool) -> AWSResponse:
    """The answer with half of its body, and headers as of the whole."""
    body = answer.raw.read()
    return AWSResponse(answer.url, answer.status_code, answer.headers, _Broken(body[: len(body) // 2], says))


_TIME_OR_NUMBER = re.compile(rb">(\d{4}-\d\d-\d\dT[^<]*|\d+)<")
_TIME_IN_JSON = re.compile(rb'("\w*(?:Time|Date)": )[\d.]+')


def emptied(answer: AWSResponse) -> AWSResponse:
    """The answer with nothing where XML has a time or a number, and JSON or a header a time."""
    body = _TIME_IN_JSON.sub(rb'\1""', _TIME_OR_NUMBER.sub(b"><", answer.raw.read()))
    headers = {name: "" if name == "Last-Modified" else value for name, value in answer.headers.items()}
    return AWSResponse(answer.url, answer.status_code, headers, _Raw(body))


def error_reply(request: Request, status: int, code: str, message: str = "injected") -> AWSResponse:
    """A service error in the protocol that the request was made in."""
    if "x-amz-target" in {name.lower() for name in request.headers}:
        return reply(status, json.dumps({"__type": code, "message": message}).encode())
    detail = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if request.service == "s3":
        return reply(status, f"<Error>{detail}</Error>".encode())
    return reply(status, f"<ErrorResponse><Error>{detail}</Error></ErrorResponse>".encode())


class Aws:
    """Answers requests.

    Args:
        sagemaker: the embedded Ground Truth service.
        stacks: ``(action, parameters) → XML result, or None`` where there is nothing of that name.
    """

    def __init__(
        self, sagemaker: GroundTruthService, stacks: Callable[[str, Mapping[str, str]], str | None]
    ) -> None:
        self._sagemaker = sagemaker
        self._stacks = stacks
        self.objects: dict[tuple[str, str], bytes] = {}
        self._metadata: dict[tuple[str, str], dict[str, str]] = {}
        #: When each object was written; one that was there from the beginning is old.
        self.modified: dict[tuple[str, str], float] = {}
        self.now: Callable[[], float] = time.time
        #: Further services.
        self.others: dict[str, Callable[[Request], AWSResponse]] = {}

    def answer(self, request: Request) -> AWSResponse:
        known = {
            "sagemaker": self._job,
            "cloudformation": self._stack,
            "s3": self._object,
            "iam": self._role,
            "cognito-identity-provider": lambda _: reply(200, _TEAM),
            **self.others,
        }
        if request.service not in known:
            return error_reply(request, 403, "AccessDenied", "not simulated")
        return known[request.service](request)

    def _job(self, request: Request) -> AWSResponse:
        call = Call(
            operation=request.operation,
            body=json.loads(request.body),
            account=ACCOUNT,
            region=REGION,
            principal_arn=HANDLER,
            access_key="AKIAHANDLER",
        )
        answer = self._sagemaker.handle(call)
        return reply(answer.status, json.dumps(answer.body).encode())

    def _stack(self, request: Request) -> AWSResponse:
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        result = self._stacks(request.operation, form)
        if result is None:
            return error_reply(request, 400, "ValidationError", "does not exist")
        name = request.operation
        return reply(200, f"<{name}Response><{name}Result>{result}</{name}Result></{name}Response>".encode())

    def _role(self, request: Request) -> AWSResponse:
        """The job's role, which may do everything."""
        form = parse_qs(request.body.decode())
        if request.operation == "GetRole":
            trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}
            document = quote(json.dumps({"Statement": [{**trust, "Action": "sts:AssumeRole"}]}))
            result = f"<Role><AssumeRolePolicyDocument>{document}</AssumeRolePolicyDocument></Role>"
        else:
            [action] = form["ActionNames.member.1"]
            decisions = "".join(
                f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>allowed</EvalDecision>"
                f"<EvalResourceName>{escape(values[0])}</EvalResourceName></member>"
                for name, values in form.items()
                if name.startswith("ResourceArns")
            )
            result = f"<EvaluationResults>{decisions}</EvaluationResults>"
        name = request.operation
        return reply(200, f"<{name}Response><{name}Result>{result}</{name}Result></{name}Response>".encode())

    def _object(self, request: Request) -> AWSResponse:
        if request.operation in _OF_BUCKET:
            return reply(200, _OF_BUCKET[request.operation].encode())
        url = urlsplit(request.url)
        bucket, key = url.netloc.split(".s3")[0], unquote(url.path.lstrip("/"))
        if request.operation == "ListObjectsV2":
            prefix = parse_qs(url.query).get("prefix", [""])[0]
            found = sorted(k for b, k in self.objects if b == bucket and k.startswith(prefix))
            contents = "".join(map(self._listed, found, [bucket] * len(found)))
            return reply(200, f"<ListBucketResult>{contents}</ListBucketResult>".encode())
        if request.operation == "PutObject":
            return self._put(request, bucket, key)
        if request.operation == "DeleteObject":
            self.objects.pop((bucket, key), None)
            return reply(204)
        if (bucket, key) not in self.objects:
            return error_reply(request, 404, "NoSuchKey")
        return self._content(request, bucket, key)

    def _listed(self, key: str, bucket: str) -> str:
        written = datetime.fromtimestamp(self.modified.get((bucket, key), 0), UTC).isoformat()
        size = len(self.objects[bucket, key])
        return (
            f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size><LastModified>{written}</LastModified>"
            "</Contents>"
        )

    def _put(self, request: Request, bucket: str, key: str) -> AWSResponse:
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        there = self.objects.get((bucket, key))
        if "if-none-match" in headers and there is not None:
            return error_reply(request, 412, "PreconditionFailed")
        if "if-match" in headers:
            if there is None:
                return error_reply(request, 404, "NoSuchKey")
            if headers["if-match"] != _etag(there):
                return error_reply(request, 412, "PreconditionFailed")
        self.objects[bucket, key] = request.body
        self.modified[bucket, key] = self.now()
        self._metadata[bucket, key] = {k: v for k, v in headers.items() if k.startswith("x-amz-meta-")}
        return reply(200, headers={"ETag": _etag(request.body)})

    def _content(self, request: Request, bucket: str, key: str) -> AWSResponse:
        body = self.objects[bucket, key]
        written = formatdate(self.modified.get((bucket, key), 0), usegmt=True)
        about = {"ETag": _etag(body), "Last-Modified": written, **self._metadata.get((bucket, key), {})}
        if request.operation == "HeadObject":
            return reply(200, headers={"Content-Length": str(len(body)), **about})
        first, last = 0, len(body) - 1
        if span := {k.lower(): v for k, v in request.headers.items()}.get("range"):
            begin, _, end = _text(span).removeprefix("bytes=").partition("-")
            first, last = int(begin), int(end) if end else last
        part = body[first : last + 1]
        return reply(206, part, {"Content-Length": str(len(part)), **about})


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
