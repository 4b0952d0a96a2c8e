"""Looks at each answer of an embedded AWS; runs in the server's process, which loads this file by its path.

What an answer lacks shows where somebody stumbles over it, and often nobody says so: a handler goes on
without CloudFormation's answer, a test sees a job end for another reason.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

sys.path.append(str(Path(__file__).parents[2]))

from tests.answers.operations import Request, operation_of
from tests.answers.shapes import faults_of

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")
_TO_CLOUDFORMATION = "/_ministack/cfn-response/"
_OWN_FAULT = b"a fault of the handler itself"
_BYTES_MOST = 4 << 20


def watched(app: Any, file: str) -> Any:
    """The application, whose answers are looked at; their faults go into a file, a line each."""

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        exchange = _Exchange(scope, receive, send)
        await app(scope, exchange.receive, exchange.send)
        for fault in exchange.faults():
            with Path(file).open("a", encoding="utf-8") as out:
                out.write(fault.replace("\n", "\\n") + "\n")

    return watching


class _Exchange:
    """A request and its answer, as ASGI has them."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._given, self._answer = bytearray(), bytearray()
        self._status = 0
        self._told: dict[str, str] = {}
        self._ended = False

    async def receive(self) -> Any:
        """Take note of the request's body."""
        message = await self._receive()
        if message["type"] == "http.request" and len(self._given) < _BYTES_MOST:
            self._given += message.get("body", b"")
        return message

    async def send(self, message: Any) -> None:
        """Take note of the answer."""
        if message["type"] == "http.response.start":
            self._status, self._told = message["status"], _text(message["headers"])
        elif message["type"] == "http.response.body":
            self._answer += message.get("body", b"")
            self._ended = not message.get("more_body", False)
        await self._send(message)

    def faults(self) -> Iterator[str]:
        """What is wrong with the answer; nothing where it broke off on purpose, or nobody signed for it.

        A handler's own answer to CloudFormation comes by here, too.
        """
        if self._scope.get("path", "").startswith(_TO_CLOUDFORMATION) and _OWN_FAULT in self._given:
            yield self._given.decode(errors="replace")
        headers = _text(self._scope.get("headers", ()))
        signed = _SCOPE.search(headers.get("authorization", ""))
        if not signed or not self._ended:
            return
        request = Request(
            service=signed[1],
            method=self._scope["method"],
            path=unquote(self._scope["path"]),
            query=self._scope["query_string"].decode(),
            headers=headers,
            body=bytes(self._given),
        )
        operation = operation_of(request)
        if operation is None:
            return
        try:
            found = faults_of(operation, self._status, self._told, bytes(self._answer))
        except Exception:  # a fault of the check is one that has to be seen, too
            found = [traceback.format_exc()]
        yield from (f"{operation.name} {self._status}: {fault}" for fault in dict.fromkeys(found))


def _text(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
