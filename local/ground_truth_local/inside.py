"""What services ask of each other within the server's process: the same requests, signed, without a socket.

A job of 20,000 objects makes 80,000 of them, and over a socket half of their time is the socket's. Nearly all
are for objects of S3, which MiniStack answers without waiting for anything: these are answered in the thread
that asks, one at a time with those of the server's loop. Handing them to the loop takes as long as answering.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import io
import re
import threading
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from ministack.services import s3

from . import bodies

_SECONDS = 60.0
_PART = 1 << 16
_FOR_S3 = re.compile(rb"/s3/aws4_request,")


def install() -> None:
    """Let one request at a time into S3, from whichever thread: its dictionaries expect no less."""
    turn, stock = threading.RLock(), s3._dispatch

    def dispatch(*args: Any) -> Any:
        with turn:
            return stock(*args)

    s3._dispatch = dispatch


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
        return self.ask(request.method, request.url, request.headers, bytes(body or b""))

    def ask(self, method: str, url: str, headers: Mapping[str, str | bytes], body: bytes) -> AWSResponse:
        """Send a signed request."""
        exchange = _Exchange(method, url, headers, body)
        answering = self._app(exchange.scope, exchange.receive, exchange.send)
        if exchange.is_of_an_object:
            _answer_here(answering, url)
        else:
            self._answer_there(answering, url)
        return AWSResponse(url, exchange.status, exchange.headers, _Raw(bytes(exchange.content)))

    def _answer_there(self, answering: Coroutine[Any, Any, None], url: str) -> None:
        # Nothing that MiniStack noted of another request may be taken for this one's.
        future = contextvars.Context().run(asyncio.run_coroutine_threadsafe, answering, self._loop)
        try:
            future.result(_SECONDS)
        except (TimeoutError, concurrent.futures.TimeoutError) as error:
            future.cancel()
            raise ReadTimeoutError(endpoint_url=url) from error
        except (concurrent.futures.CancelledError, ConnectionError) as error:
            raise ConnectionClosedError(endpoint_url=url) from error

    def close(self) -> None:
        """Close what goes over the socket."""
        self._outside.close()


def _answer_here(answering: Coroutine[Any, Any, None], url: str) -> None:
    try:
        contextvars.Context().run(answering.send, None)
    except StopIteration:
        return
    except ConnectionError as error:
        raise ConnectionClosedError(endpoint_url=url) from error
    # It waits for something, which only the loop could bring. The client tries again.
    answering.close()
    raise ConnectionClosedError(endpoint_url=url)


class _Exchange:
    """A request and its answer, as ASGI has them."""

    def __init__(self, method: str, address: str, named: Mapping[str, str | bytes], body: bytes) -> None:
        url = urlsplit(address)
        headers = {name.lower().encode(): _bytes(value) for name, value in named.items()}
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "root_path": "",
            "headers": list(({b"host": url.netloc.encode()} | headers).items()),
            "client": (url.hostname, 0),
            "server": (url.hostname, url.port),
            "extensions": {},
        }
        signed = headers.get(b"authorization", b"")
        #: Whether it is for an object of S3, whatever the operation on it.
        self.is_of_an_object = bool(_FOR_S3.search(signed)) and url.path.strip("/").count("/") > 0
        self._waiting = [{"type": "http.request", "body": body, "more_body": False}]
        self.status = 500
        self.headers: dict[str, str] = {}
        self.content = bytearray()

    @bodies.at_once
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
