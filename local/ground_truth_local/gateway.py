"""The ASGI application: guards, then SageMaker's actions for us, everything else for MiniStack."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from ministack import app as ministack_app
from ministack.core import concurrency, iam_evaluator, responses, router, sigv4
from ministack.core.iam_actions import identity_denial_message

from . import bodies
from .durability import Journal, NotWritten, changes_state, noticing_unwritten_objects
from .guards import Guard, is_bucket
from .service.types import Answer, Call, Check, Service
from .wire import Wire, breaking, shortening

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_TARGET = "SageMaker."
_JSON = "application/x-amz-json-1.1"
_FORM = "application/x-www-form-urlencoded"
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")
_PRESIGNED = ("X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]*/([^/]+)/aws4_request")
_log = logging.getLogger(__name__)


class Gateway:
    """Wrap ``ministack.app.app``.

    Args:
        guard: what is refused.
        service: answers SageMaker's actions.
        on_startup: awaited when MiniStack is up, before the first request is answered.
        on_shutdown: awaited before MiniStack saves its state.
        journal: writes what a request changed before it is answered; without one nothing is kept.
        wire: what goes wrong on the way.
    """

    def __init__(
        self,
        guard: Guard,
        service: Service,
        *,
        on_startup: Callable[[], Awaitable[None]] | None = None,
        on_shutdown: Callable[[], Awaitable[None]] | None = None,
        journal: Journal | None = None,
        wire: Wire | None = None,
    ) -> None:
        self._guard = guard
        self._service = service
        self._on_startup = on_startup
        self._on_shutdown = on_shutdown
        self._journal = journal
        self._wire = wire or Wire()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        headers = _headers(scope)
        refusal = self._guard.refusal(scope["path"], headers, presigned_read=_is_presigned_read(scope))
        if refusal is not None:
            await _refuse(scope, send, refusal)
            return
        if scope["type"] == "http":
            if self._guard.is_anonymous(scope, headers):
                code = "MissingAuthenticationTokenException" if "x-amz-target" in headers else "AccessDenied"
                service = "" if "x-amz-target" in headers else "s3"
                await _answer_error(send, service, 403, code, "The request is not signed.")
                return
            trouble = self._wire.trouble(scope["method"], _signed_for(headers), headers)
            if trouble.hole:
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            if trouble.broken or trouble.short:
                send = breaking(send) if trouble.broken else shortening(send)
            try:
                receive = await bodies.read(receive, headers)
            except bodies.BadBody as error:
                await _answer_error(send, _signed_for(headers), error.status, error.code, str(error))
                return
            if trouble.throttled:
                await _throttle(send, _signed_for(headers))
                return
            if trouble.bare:
                await _respond(send, 403, b"", "text/plain", str(uuid.uuid4()))
                return
            # Bucket policies that demand TLS deny the CDK's own asset upload over plain http.
            scope = {**scope, "scheme": "https"}
            if headers.get("x-amz-target", "").startswith(_TARGET):
                await self._sagemaker(scope, headers, receive, send)
                return
        if scope["type"] == "http" and self._journal is not None:
            await self._kept(self._journal, scope, headers, receive, send)
            return
        await ministack_app.app(scope, receive, send)

    async def _kept(
        self, journal: Journal, scope: Scope, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        """Pass a request to MiniStack, and its answer on when what it changed is on disk."""
        # CloudWatch's protocol has the action in the path.
        named = headers.get("x-amz-target", "").rpartition(".")[2]
        service, action = _signed_for(headers), named or scope["path"].partition("/operation/")[2]
        refused = False

        async def receive_noted() -> Any:
            nonlocal action
            message = await receive()
            if not action and headers.get("content-type", "").startswith(_FORM):
                found = _ACTION.search(message.get("body", b""))
                action = found.group(1).decode() if found else ""
            return message

        async def send_kept(message: Any) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] < 400:
                reason = str(failures[0]) if failures else await self._commit(journal, scope, service, action)
                if reason:
                    refused = True
                    # The client's SDK tries again, then tells its user.
                    words = f"The embedded AWS can't write its state: {reason}"
                    await _answer_error(send, service, 500, "InternalError", words)
            if not refused:
                await send(message)

        with noticing_unwritten_objects() as failures:
            await ministack_app.app(scope, receive_noted, send_kept)

    @staticmethod
    async def _commit(journal: Journal, scope: Scope, service: str, action: str) -> str:
        if scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
            # An object or a message may set off more than its own request changed.
            journal.touch()
        if not changes_state(scope["method"], scope["path"], service, action):
            return ""
        try:
            await journal.commit(service)
        except NotWritten as error:
            return str(error)
        return ""

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_hooked() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self._on_shutdown is not None:
                await self._on_shutdown()
            return message

        async def send_hooked(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete" and self._on_startup is not None:
                await self._on_startup()
            await send(message)

        await ministack_app.app(scope, receive_hooked, send_hooked)

    async def _sagemaker(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())
        try:
            answer = await self._answer(scope, headers, receive)
        except Exception:
            # An error of ours is an answer too, as AWS gives one: a client without any would wait and retry.
            _log.exception("SageMaker request %s failed", request_id)
            answer = Answer.error("InternalFailure", f"See the server's log for {request_id}.", status=500)
        await _respond(send, answer.status, json.dumps(answer.body).encode(), _JSON, request_id)

    async def _answer(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        # MiniStack's own entry does the same for its services; the order matters: account before credentials,
        # the signed request pinned before its body.
        key = router.extract_access_key_id(headers)
        client = scope.get("client") or ("127.0.0.1", 0)
        iam_evaluator.pin_request_origin(client[0], True)
        responses.set_request_account_id(ministack_app._request_account_scope(key))
        responses.set_request_region(router.extract_region(headers))
        iam_evaluator.pin_signed_request(
            scope["method"], scope["raw_path"].decode("latin-1"), {}, scope["headers"]
        )
        raw = await ministack_app._read_request_body(receive, scope["method"], headers)
        failure = _authenticate(key)
        if failure is not None:
            return failure
        operation = headers["x-amz-target"][len(_TARGET) :]
        if operation not in self._service.ACTIONS:
            return Answer.error("UnknownOperationException", f"SageMaker {operation} is not embedded.")
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return Answer.error("SerializationException", "The request body is not a JSON object.")
        account, region = responses.get_account_id(), responses.get_region()
        call = Call(
            operation=operation,
            body=body,
            account=account,
            region=region,
            principal_arn=iam_evaluator.resolve_principal(key, account).arn,
            access_key=key,
        )
        # It has a thread of its own: the service calls back into this server, so a bounded pool could
        # deadlock.
        answer: Answer = await concurrency.run_reentrant(self._authorize_and_handle, self._service, call)
        return answer

    @staticmethod
    def _authorize_and_handle(service: Service, call: Call) -> Answer:
        for check in service.authorization(call):
            denial = authorize(call, check)
            if denial is not None:
                return denial
        return service.handle(call)


def authorize(call: Call, check: Check) -> Answer | None:
    """Evaluate one permission of the caller; return the denial, or ``None`` if it is allowed."""
    denied = iam_evaluator.enforce(
        call.access_key,
        check.action,
        check.action.partition(":")[0],
        call.region,
        resource_arn=check.resource_arn,
        service_context=dict(check.context),
    )
    if denied is None:
        return None
    if isinstance(denied, iam_evaluator.AuthError):
        return Answer.error(denied.code, denied.message, status=403)
    return Answer.error(
        "AccessDeniedException",
        identity_denial_message(
            check.action, denied.principal_arn, check.resource_arn, denied.decision == "Deny"
        ),
    )


def _authenticate(key: str) -> Answer | None:
    if not key:
        return Answer.error("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    failure = iam_evaluator.check_credentials(key, "sagemaker")
    if failure is None and not iam_evaluator.caller_verified(key, responses.get_account_id()):
        failure = iam_evaluator.AuthError("UnrecognizedClientException", "The request is not signed.")
    if failure is None:
        return None
    return Answer.error(failure.code, failure.message, status=403)


def _is_presigned_read(scope: Scope) -> bool:
    """Whether a browser may read this from any page: a link that S3 signed, whose signature S3 checks."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    credential = query.get("X-Amz-Credential", "").split("/")
    return (
        all(query.get(name) for name in _PRESIGNED)
        and len(credential) == 5
        and credential[3] == "s3"
        and is_bucket(scope["path"])
    )


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): sigv4.decode_header_value(value) for name, value in scope["headers"]
    }


def _signed_for(headers: dict[str, str]) -> str:
    found = _SCOPE.search(headers.get("authorization", ""))
    return found.group(1) if found else ""


async def _throttle(send: Send, service: str) -> None:
    if service == "s3":
        await _answer_error(send, service, 503, "SlowDown", "Please reduce your request rate.")
        return
    code = "Throttling" if service in {"iam", "cloudformation", "sns"} else "ThrottlingException"
    await _answer_error(send, service, 400, code, "Rate exceeded")


async def _answer_error(send: Send, service: str, status: int, code: str, message: str) -> None:
    """Answer with an error in the service's own protocol."""
    request_id = str(uuid.uuid4())
    if service in {"s3", "iam", "sts", "sns", "cloudformation"}:
        error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        body = error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        await _respond(send, status, body.encode(), "text/xml", request_id)
        return
    body = json.dumps({"__type": code, "message": message})
    await _respond(send, status, body.encode(), _JSON, request_id)


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _respond(send, 403, f"{reason}\n".encode(), "text/plain; charset=utf-8", str(uuid.uuid4()))


async def _respond(send: Send, status: int, body: bytes, content_type: str, request_id: str) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", request_id.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
