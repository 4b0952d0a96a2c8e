"""Objects that a service reads and writes within the server's process, without most of an SDK's work.

Half of what a request took was botocore's: resolving an endpoint, validating, serializing, signing, hooks.
What is built here is the same request, with a signature that IAM checks as any other's; botocore reads the
answer. Whatever isn't plain goes its way from the start, and so does each refusal, once more: who is refused
sees nothing but botocore.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from botocore.awsrequest import AWSResponse
from botocore.credentials import ReadOnlyCredentials
from botocore.endpoint import convert_to_response_dict
from botocore.exceptions import ConnectionClosedError
from botocore.parsers import create_parser

from .inside import InsideSession
from .session import OF_A_SERVICE

_METHODS = {"get_object": "GET", "put_object": "PUT"}
_HEADERS = {
    "ContentType": "content-type",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
_KNOWN = frozenset({"Bucket", "Key", "Body", *_HEADERS})
_BUCKET = re.compile(r"[a-z0-9.-]{3,63}")
# A value with anything else in it is folded or encoded before it is signed.
_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
_ALGORITHM = "AWS4-HMAC-SHA256"


class ObjectCalls:
    """Asks for objects of S3 as a client does.

    Args:
        client: botocore's, which knows the address, the Region and how answers are read.
        transport: takes requests within the process.
    """

    @staticmethod
    def suit(client: Any) -> bool:
        """Whether a client is one of S3's that takes no sums of what is sent and read."""
        sums = (
            client.meta.config.request_checksum_calculation,
            client.meta.config.response_checksum_validation,
        )
        return client.meta.service_model.service_name == "s3" and set(sums) == {"when_required"}

    def __init__(self, client: Any, transport: InsideSession) -> None:
        self._transport, self._region = transport, client.meta.region_name
        self._endpoint: str = client.meta.endpoint_url
        model = client.meta.service_model
        self._operations = {
            name: model.operation_model(client.meta.method_to_api_mapping[name]) for name in _METHODS
        }
        self._parser = create_parser(model.protocol)

    def answer(
        self, name: str, parameters: Mapping[str, Any], credentials: ReadOnlyCredentials
    ) -> dict[str, Any] | None:
        """Return what the client's operation of that name would, or `None` where botocore has to ask."""
        if name not in _METHODS or not _is_plain(parameters):
            return None
        body = bytes(parameters.get("Body", b""))
        path = f"/{parameters['Bucket']}/{quote(parameters['Key'], safe='/~')}"
        headers = {_HEADERS[each]: value for each, value in parameters.items() if each in _HEADERS}
        signed = self._signed(_METHODS[name], path, headers, body, credentials)
        try:
            response = self._transport.ask(_METHODS[name], f"{self._endpoint}{path}", signed, body)
        except ConnectionClosedError:
            return None
        # Botocore's own hook adds a second form of this date.
        if response.status_code >= 300 or "expires" in response.headers:
            return None
        return self._parsed(name, response)

    def _signed(
        self, method: str, path: str, headers: dict[str, str], body: bytes, credentials: ReadOnlyCredentials
    ) -> dict[str, str]:
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            **headers,
            "host": self._endpoint.partition("://")[2],
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-amz-date": moment,
            "x-amz-security-token": credentials.token,
        }
        authorization = signature(method, path, headers, self._region, credentials)
        unsigned = {"content-length": str(len(body))} if method == "PUT" else {}
        return {**headers, **unsigned, "user-agent": OF_A_SERVICE, "authorization": authorization}

    def _parsed(self, name: str, response: AWSResponse) -> dict[str, Any]:
        operation = self._operations[name]
        fields = convert_to_response_dict(response, operation)
        answer: dict[str, Any] = self._parser.parse(fields, operation.output_shape)
        answer["ResponseMetadata"].setdefault("RetryAttempts", 0)
        return answer


def signature(
    method: str, path: str, headers: Mapping[str, str], region: str, credentials: ReadOnlyCredentials
) -> str:
    """Return the header `Authorization` of a request to S3, of which all these headers are signed.

    Source: S3 API Reference, "Signature calculations for the Authorization header" (a single chunk).
    """
    names = sorted(headers)
    listed, lines = ";".join(names), "".join(f"{name}:{headers[name]}\n" for name in names)
    request = f"{method}\n{path}\n\n{lines}\n{listed}\n{headers['x-amz-content-sha256']}"
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, moment[:8], region)
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, Signature={proof}"
    )


@functools.lru_cache(maxsize=512)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _is_plain(parameters: Mapping[str, Any]) -> bool:
    """Whether botocore would send these parameters as they are; what it changes or refuses, it shall."""
    headers = [parameters[name] for name in _HEADERS if name in parameters]
    return (
        parameters.keys() <= _KNOWN
        and isinstance(parameters.get("Body", b""), bytes)
        and isinstance(parameters.get("Bucket"), str)
        and bool(_BUCKET.fullmatch(parameters["Bucket"]))
        and isinstance(parameters.get("Key"), str)
        and bool(parameters["Key"])
        and all(isinstance(value, str) and _VALUE.fullmatch(value) for value in headers)
    )
