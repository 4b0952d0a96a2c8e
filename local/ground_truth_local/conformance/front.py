"""The service behind a loopback port, so that a real client asks it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from ..service.types import Answer, Call, Service

_TARGET = "SageMaker."
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/conformance</Arn><UserId>AIDA</UserId>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Front:
    """SageMaker's JSON 1.1 protocol and `sts:GetCallerIdentity`, nothing else; it checks no signatures."""

    def __init__(self, service: Service, *, account: str, region: str) -> None:
        front = self
        self._service, self._account, self._region = service, account, region

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                front.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        target = handler.headers.get("X-Amz-Target", "")
        if not target.startswith(_TARGET):
            is_identity = parse_qs(body.decode()).get("Action") == ["GetCallerIdentity"]
            text = _IDENTITY.format(account=self._account) if is_identity else "<Error/>"
            self._send(handler, 200 if is_identity else 400, text.encode(), "text/xml")
            return
        call = Call(
            operation=target.removeprefix(_TARGET),
            body=json.loads(body or b"{}"),
            account=self._account,
            region=self._region,
            principal_arn=f"arn:aws:iam::{self._account}:user/conformance",
            access_key="AKIA",
        )
        answer: Answer = self._service.handle(call)
        self._send(handler, answer.status, json.dumps(answer.body).encode(), "application/x-amz-json-1.1")

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)
