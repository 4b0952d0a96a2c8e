"""What services ask of each other within the server's process: the same requests, signed, without a socket.

A job of 20,000 objects makes 80,000 of them, and over a socket half of their time is the socket's.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

_SECONDS = 60.0
_PART = 1 << 16


class InsideSession:
    """Takes the place of a client's `URLLib3Session`.

    Args:
        app: the gateway.
        loop: on which it runs; another thread's.
    """

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._outside = URLLib3Session()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Send a request; what is read from a file goes over the socket, a part at a time."""
        # What S3 is given as bytes botocore makes a file of.
        body = request.body.read() if isinstance(request.body, io.BytesIO) else request.body
        if not isinstance(body, bytes | bytearray | None):
            return self._outside.send(request)
        exchange = _Exchange(request, bytes(body or b""))
        # Nothing that MiniStack noted of another request may be taken for this one's.
        future = contextvars.Context().run(
            asyncio.run_coroutine_threadsafe,
            self._app(exchange.scope, exchange.receive, exchange.send),
            self._loop,
        )
        try:
            future.result(_SECONDS)
        except (TimeoutError, concurrent.futures.TimeoutError) as error:
            future.cancel()
            raise ReadTimeoutError(endpoint_url=request.url) from error
        except (concurrent.futures.CancelledError, ConnectionError) as error:
            raise ConnectionClosedError(endpoint_url=request.url) from error
        return AWSResponse(request.url, exchange.status, exchange.headers, _Raw(bytes(exchange.content)))

    def close(self) -> None:
        """Close what goes over the socket."""
        self._outside.close()


class _Exchange:
    """A request and its answer, as ASGI has them."""

    def __init__(self, request: AWSPreparedRequest, body: bytes) -> None:
        url = urlsplit(request.url)
        headers = [(name.lower().encode(), _bytes(value)) for name, value in request.headers.items()]
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "root_path": "",
            "headers": [(b"host", url.netloc.encode()), *headers],
            "client": (url.hostname, 0),
            "server": (url.hostname, url.port),
            "extensions": {},
        }
        self._waiting = [{"type": "http.request", "body": body, "more_body": False}]
        self.status = 500
        self.headers: dict[str, str] = {}
        self.content = bytearray()

    async def receive(self) -> Any:
        """The request's body, once."""
        return self._waiting.pop() if self._waiting else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                bytes(name).decode("latin-1"): bytes(value).decode("latin-1")
                for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self.content += message.get("body", b"")


class _Raw(io.BytesIO):
    """A body, as botocore reads one from urllib3."""

    def stream(self, amount: int = _PART, decode_content: bool | None = None) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part


def _bytes(value: str | bytes) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)
