"""What a deploy fails with, in words for the person who runs it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .contract import ContractError

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
#: What S3, IAM and others say for "not allowed"; a HEAD's answer has no body to say more than 403 in.
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "403"})
#: What S3 says where there is no such object.
MISSING_CODES = ("404", "NoSuchKey", "NotFound")
#: What `cdk bootstrap` published is encrypted then with a key that no construct knows of.
BOOTSTRAP_KEY = (
    "after a bootstrap with a key of your own the app has to grant its use:"
    " key.grant_decrypt(job.handler_role) and key.grant_decrypt(job.role)"
)
_BARE = " (no more was said: S3 refuses a HEAD so, and a proxy or a VPC endpoint in between anything)"
#: botocore's class → what it means, with the service's host in it; the more special class comes first.
_WORDS = (
    ("ConnectTimeoutError", "{host} can't be reached: no connection in time"),
    ("ReadTimeoutError", "{host} gave no answer in time"),
    ("ProxyConnectionError", "the proxy before {host} can't be reached"),
    ("SSLError", "no TLS connection to {host}"),
    ("EndpointConnectionError", "{host} can't be reached"),
    ("ConnectionClosedError", "the connection to {host} was closed"),
    (
        "FlexibleChecksumError",
        "an answer isn't what its checksum says: something in between cut it off or changed it",
    ),
    ("ResponseStreamingError", "an answer broke off"),
    ("IncompleteReadError", "an answer broke off"),
    ("ProtocolError", "an answer broke off"),
    ("ResponseParserError", "an answer can't be read"),
    ("ParseError", "an answer can't be read"),
    ("NoCredentialsError", "there are no credentials to call AWS with"),
    ("ConnectionError", "{host} can't be reached"),
    ("HTTPError", "an answer broke off"),
    ("HTTPClientError", "the call to {host} failed on its way"),
    ("OSError", "the connection to {host} failed"),
)


class DeployError(Exception):
    """The deploy can't go on; the message goes to CloudFormation as the reason."""


class UnreachableError(DeployError):
    """A service that gave no answer before is not asked again in this invocation."""


class BrokenAnswerError(Exception):
    """A service answered with success, but without what such an answer always has."""


class NotYetError(Exception):
    """This invocation is out of time, but the work goes on.

    It leaves the function unanswered on purpose: CloudFormation invokes it asynchronously, so the Lambda
    service delivers the same event again, and that run meets its own job.
    """


def answer_of(error: BaseException) -> Mapping[str, Any]:
    """What the service answered; empty for an error that isn't an answer.

    botocore's errors of the transport have a `response` too, and it is None.
    """
    response = getattr(error, "response", None)
    return response if isinstance(response, Mapping) else {}


def part_of(answer: Any, *path: str | int) -> Any:
    """What an answer has at a place.

    botocore takes JSON that was cut off for an empty object.

    Raises:
        BrokenAnswerError: there is nothing.
    """
    for step in path:
        try:
            answer = answer[step]
        except (KeyError, IndexError, TypeError) as error:
            raise BrokenAnswerError(f"an answer lacks {step}") from error
    return answer


def document_of(text: Any) -> Any:
    """A policy, or what else comes as JSON within an answer.

    Raises:
        BrokenAnswerError: it isn't JSON.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError) as error:
        raise BrokenAnswerError("an answer's document isn't whole") from error


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def code_of(error: BaseException | None) -> str:
    """The service's error code in a botocore `ClientError`; empty for anything else."""
    return str(answer_of(error).get("Error", {}).get("Code", "")) if error is not None else ""


def operation_of(error: BaseException) -> str:
    """The call that the service refused; empty for anything but a refusal."""
    return str(getattr(error, "operation_name", "")) if code_of(error) else ""


def is_passing(error: BaseException) -> bool:
    """Throttled, broken down, broken off or out of reach; never what the service says of the request."""
    if answer := answer_of(error):
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # A refusal whose words were cut off has its HTTP status for a code; a HEAD never has more.
        unread = code_of(error) == "400" and not operation_of(error).startswith("Head")
        return code_of(error) in _THROTTLED or status >= 500 or unread
    from .transport import TRANSPORT_ERRORS

    return isinstance(error, TRANSPORT_ERRORS)


def message_of(error: BaseException) -> str:
    """`Operation: Code: message` as the service said it."""
    detail = answer_of(error).get("Error", {})
    words = f"{operation_of(error) or 'a call'}: {detail.get('Code', '')}: {detail.get('Message', error)}"
    # botocore makes the code of the status where an answer has no words of its own.
    return f"{words}{_BARE}" if detail.get("Code") == "403" else words


def said(error: BaseException) -> str:
    """The error in one line: the service's words if it is the service's, else ours."""
    if isinstance(error, DeployError | NotYetError | ContractError | BrokenAnswerError):
        return str(error)
    if code_of(error):
        return message_of(error)
    names = [cls.__name__ for cls in type(error).__mro__]
    for name, words in _WORDS:
        if name in names:
            return words.format(host=_host(error)) + _way_out(words)
    if type(error).__module__.startswith("botocore."):
        return f"the call was not made: {error}"
    return f"a fault of the handler itself, at {_place(error)}; its log has more. Please report it"


def is_own_fault(error: BaseException) -> bool:
    """Neither AWS's nor the user's: the log needs the traceback."""
    return said(error).startswith("a fault of the handler itself")


def _host(error: BaseException) -> str:
    url = getattr(error, "kwargs", {}).get("endpoint_url")
    # Only the host is said: a path may name objects, and a query may be a signature.
    return urlsplit(str(url)).hostname or "the service" if url else "the service"


def _way_out(words: str) -> str:
    return " (in a VPC it takes an endpoint or a NAT gateway)" if "can't be reached" in words else ""


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
