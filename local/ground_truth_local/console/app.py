"""The console's web pages."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import secrets
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

from ..portal import views
from ..portal.http import HttpError, Receive, Request, Response, Scope, Send, page, read_body, redirect
from . import drawings, exports, pages
from .account import Account, AccountError
from .results import Looked, ResultBook

PREFIX = "/console"
_MAX_FORM = 16 * 1024
_THREADS = 8
_COOKIE = f"HttpOnly; SameSite=Strict; Max-Age={12 * 3600}"
_JOB = re.compile(r"/console/jobs/([A-Za-z0-9][A-Za-z0-9-]{0,62})(?:/(.*))?")
_RESULT = re.compile(r"results/(\d{1,9})(?:/([a-z]+)(?:-(\d{1,3}))?\.jpg)?")
_log = logging.getLogger(__name__)


class Console:
    """Serves one account's console below `/console`.

    Args:
        account: what is looked at.
        hosts: the names that this server answers to.
        port: part of the cookie's name, as cookies don't tell ports apart.
        key: opens the console, once a browser.
    """

    def __init__(self, account: Account, *, hosts: frozenset[str], port: int, key: str) -> None:
        self._account = account
        self._book = ResultBook(account)
        self._hosts = hosts
        self._cookie = f"author-console-{port}"
        self._key = key
        # What the cookie holds opens nothing by itself after the key has changed.
        self._token = hmac.new(key.encode(), b"cookie", "sha256").hexdigest()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="console")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        try:
            self._guard(scope["method"], headers)
            body = await read_body(receive, _MAX_FORM)
            request = Request(method=scope["method"], path=scope["path"], headers=headers, body=body)
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._pool, self._answer, request, query)
        except HttpError as error:
            response = _problem(error.status, error.message)
        except AccountError as error:
            response = _problem(502, str(error))
        except Exception:
            # An error of ours becomes a page, and the next request is served.
            _log.exception("%s %s failed", scope["method"], scope["path"])
            response = _problem(500, "Something went wrong; the server's log says what.")
        fields = {
            "content-security-policy": views.POLICY,
            "cache-control": "no-store",
            # The worker's frame has no origin and loads the portal's scripts: this is the console's alone.
            "cross-origin-resource-policy": "same-origin",
            **views.SECURITY,
        }
        answer = Response(
            status=response.status,
            body=response.body,
            content_type=response.content_type,
            headers={**fields, **response.headers},
        )
        await answer.send(send)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _guard(self, method: str, headers: dict[str, str]) -> None:
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            raise HttpError(403, f"Host {host!r} is not this server's; use {min(self._hosts)}.")
        if method not in {"GET", "HEAD"} and headers.get("origin", "").lower() != f"http://{host}":
            raise HttpError(403, "Only the console's own pages may send this.")

    def _answer(self, request: Request, query: dict[str, list[str]]) -> Response:
        if request.path == f"{PREFIX}/sign-in":
            return self._sign_in(query.get("key", [""])[0])
        if not secrets.compare_digest(request.cookies.get(self._cookie, ""), self._token):
            raise HttpError(401, "Open the console by the address that the server printed: its key is in it.")
        if request.path in (PREFIX, f"{PREFIX}/") and request.method == "GET":
            return page(pages.overview(self._account, query.get("status", [""])[0]))
        found = _JOB.fullmatch(request.path)
        if found is None:
            raise HttpError(404, "There is no such page.")
        return self._job(request, found[1], found[2] or "", query)

    def _sign_in(self, key: str) -> Response:
        if not secrets.compare_digest(key.encode(), self._key.encode()):
            raise HttpError(403, "That is not the console's key; the server prints the whole address.")
        cookie = f"{self._cookie}={self._token}; Path={PREFIX}; {_COOKIE}"
        return redirect(PREFIX, {"set-cookie": cookie})

    def _job(self, request: Request, name: str, rest: str, query: dict[str, list[str]]) -> Response:
        job = self._account.job(name)
        if request.method == "POST":
            if rest != "stop":
                raise HttpError(404, "There is no such page.")
            self._account.stop(name)
            return redirect(f"{PREFIX}/jobs/{name}")
        match rest:
            case "":
                return page(pages.job(self._account, self._book, job, _number(query, "page")))
            case "request.json":
                return _download(json.dumps(pages.request_of(job), indent=2).encode(), f"{name}-request.json")
            case "log":
                return page(pages.log(self._account, job))
        if rest.startswith("export/"):
            with tempfile.TemporaryDirectory() as folder:
                file = exports.download(
                    self._account, self._book, job, rest.removeprefix("export/"), Path(folder)
                )
                return _download(file.read_bytes(), file.name)
        found = _RESULT.fullmatch(rest)
        if found is None:
            raise HttpError(404, "There is no such page.")
        looked = self._book.look(job, int(found[1]))
        if found[2] is None:
            return page(pages.result(self._book, job, looked))
        return _picture(looked, found[2], int(found[3] or 0))


def _number(query: dict[str, list[str]], name: str) -> int:
    text = query.get(name, ["1"])[0]
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _picture(looked: Looked, kind: str, number: int) -> Response:
    masks = [mask for _, _, mask in looked.workers]
    drawn: dict[str, Callable[[], bytes]] = {
        "picture": lambda: drawings.picture(looked.picture),
        "vote": lambda: drawings.painted(looked.picture, looked.vote, looked.labels),
        "thumbnail": lambda: drawings.painted(looked.picture, looked.vote, looked.labels, thumbnail=True),
        "worker": lambda: drawings.painted(looked.picture, masks[number], looked.labels),
        "disagreement": lambda: drawings.disagreement(looked.picture, masks or [looked.vote]),
    }
    if kind not in drawn or (kind == "worker" and number >= len(masks)):
        raise HttpError(404, "There is no such picture.")
    return Response(
        body=drawn[kind](), content_type="image/jpeg", headers={"cache-control": "private, max-age=60"}
    )


def _download(body: bytes, name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body=body, content_type="application/octet-stream", headers=disposition)


def _problem(status: int, message: str) -> Response:
    html = views.render("console_error", title="Error", message=message, console=True)
    return page(html, status=status)
