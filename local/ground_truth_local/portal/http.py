"""Just enough HTTP on ASGI for the portal: no framework for a dozen routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class HttpError(Exception):
    """Answer with an error status and one plain sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request whose body has been read."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name; a malformed header counts as none."""
        try:
            cookies = SimpleCookie(self.headers.get("cookie", ""))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in cookies.items()}

    @property
    def form(self) -> dict[str, str]:
        """The fields of a posted form."""
        fields = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}

    def json(self) -> Any:
        """The posted JSON.

        Raises:
            HttpError: it isn't JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise HttpError(400, "The request is not JSON.") from error


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer; security headers are added by the application."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Any, *, status: int = 200) -> Response:
        """Answer with JSON."""
        return cls(status=status, body=json.dumps(content).encode(), content_type="application/json")

    async def send(self, send: Send) -> None:
        """Send over ASGI."""
        fields = {"content-type": self.content_type, "content-length": str(len(self.body)), **self.headers}
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def page(html: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with an HTML page."""
    return Response(
        status=status, body=html.encode(), content_type="text/html; charset=utf-8", headers=headers or {}
    )


def redirect(path: str, headers: dict[str, str] | None = None) -> Response:
    """Send the browser to another page, with GET."""
    return Response(status=303, headers={"location": path, **(headers or {})})


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a request's body of at most ``limit`` bytes.

    Raises:
        HttpError: it is longer; nothing beyond the limit is kept.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise HttpError(400, "The connection was closed.")
        size += len(message.get("body", b""))
        if size > limit:
            raise HttpError(413, f"The request is larger than {limit} bytes.")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
