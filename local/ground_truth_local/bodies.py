"""Bodies of requests, read before anybody acts on them: whole, in time, and those that were signed."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

#: Seconds between two parts of a body; a connection that says nothing for longer is ended.
PATIENCE = 60.0

_HASH = re.compile(r"[0-9a-f]{64}")
_Callable = TypeVar("_Callable", bound=Callable[..., Any])
Receive = Callable[[], Awaitable[Any]]
_AT_ONCE = "gives_at_once"


def at_once(receive: _Callable) -> _Callable:
    """Mark a `receive` that never lets its caller wait, so that nobody looks at the time."""
    setattr(receive, _AT_ONCE, True)
    return receive


class BadBody(Exception):
    """A body that is refused.

    Attributes:
        status: the answer's status.
        code: the answer's error code.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


async def read(receive: Receive, headers: Mapping[str, str], patience: float = PATIENCE) -> Receive:
    """Read a request's body; return a `receive` that gives it in one part.

    Source: S3 API Reference, "Signature calculations" (`XAmzContentSHA256Mismatch`), "Error responses"
    (`RequestTimeout`).

    Raises:
        BadBody: its parts don't come, or it is another than the one that was signed.
    """
    parts: list[bytes] = []
    while True:
        try:
            waits = not getattr(receive, _AT_ONCE, False)
            message = await (asyncio.wait_for(receive(), patience) if waits else receive())
        except TimeoutError as error:
            words = f"The body of the request did not go on for {patience:g} seconds."
            raise BadBody(400, "RequestTimeout", words) from error
        if message["type"] != "http.request":
            return _again(message, receive)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    body = b"".join(parts)
    signed = headers.get("x-amz-content-sha256", "")
    if _HASH.fullmatch(signed) and hashlib.sha256(body).hexdigest() != signed:
        words = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise BadBody(400, "XAmzContentSHA256Mismatch", words)
    return _again({"type": "http.request", "body": body, "more_body": False}, receive)


def _again(message: Any, receive: Receive) -> Receive:
    waiting = [message]

    async def receive_again() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_again
