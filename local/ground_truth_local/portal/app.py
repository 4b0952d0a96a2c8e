"""The portal's ASGI application, on an origin of its own: S3 objects of the gateway's must not share it."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..service.api import GroundTruthService
from ..service.errors import TaskError
from ..service.teams import Directory, nobody
from ..settings import HOST
from . import static_files, views
from .frame import FrameError, frame_response
from .http import (
    HttpError,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    page,
    read_body,
    redirect,
)
from .points import AutoSegmentError, parse_points
from .sessions import Session, Sessions
from .work import Desk

_MAX_BODY = 64 * 1024 * 1024
_MAX_FORM = 16 * 1024
_THREADS = 16
_TASK = re.compile(r"/tasks/([0-9a-f]{32})(?:/([a-z-]+))?")
_SECURITY = {
    "x-content-type-options": "nosniff",
    # With "no-referrer" a form would be posted with the origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_log = logging.getLogger(__name__)


class Portal:
    """People sign in as a member of a work team and do its tasks.

    Args:
        service: the Ground Truth service of this process.
        port: where the portal listens.
        gateway: the address that presigned URLs of pictures begin with.
        directory: tells the users of a Cognito group.
        real_script: let templates load the real crowd-html-elements.js from the network.
    """

    def __init__(
        self,
        service: GroundTruthService,
        *,
        port: int,
        gateway: str,
        directory: Directory = nobody,
        real_script: bool = False,
    ) -> None:
        self._desk = Desk(service, directory)
        self._hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
        self._gateway = gateway
        self._real_script = real_script
        self._sessions = Sessions(port)
        # Threads of our own: rendering calls back into the gateway, which has a pool that must not run dry.
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="portal")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await (await self._respond(scope, receive)).send(send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._pool.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
        try:
            self._guard(scope["method"], headers)
            limit = _MAX_BODY if headers.get("content-type", "").startswith("application/json") else _MAX_FORM
            body = await read_body(receive, limit)
            request = Request(method=scope["method"], path=scope["path"], headers=headers, body=body)
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._pool, self._answer, request)
        except HttpError as error:
            response = _error_page(error)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            response = _error_page(HttpError(500, "Something went wrong; the server's log says what."))
        fields = {"content-security-policy": views.POLICY, "cache-control": "no-store", **_SECURITY}
        return Response(
            status=response.status,
            body=response.body,
            content_type=response.content_type,
            headers={**fields, **response.headers},
        )

    def _guard(self, method: str, headers: dict[str, str]) -> None:
        """Refuse names that a page bound to us by DNS, and posts that another site makes a browser send."""
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            raise HttpError(403, f"Host {host!r} is not this server's; use {min(self._hosts)}.")
        if method not in {"GET", "HEAD"} and headers.get("origin", "").lower() != f"http://{host}":
            raise HttpError(403, "Only the portal's own pages may send this.")

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(static_files.PREFIX):
            return static_files.serve(request.path)
        session = self._sessions.find(request.cookies)
        match request.method, request.path:
            case "GET", "/":
                return redirect("/jobs") if session else self._sign_in_page()
            case "POST", "/sign-in":
                return self._sign_in(request)
            case "POST", "/sign-out":
                return redirect("/", {"set-cookie": self._sessions.close(request.cookies)})
        if session is None:
            if request.method == "GET":
                return redirect("/")
            raise HttpError(401, "Please sign in.")
        return self._signed_in(request, session)

    def _signed_in(self, request: Request, session: Session) -> Response:
        match request.method, request.path:
            case "GET", "/jobs":
                return self._jobs_page(session)
            case "POST", "/work":
                return redirect(self._next(session, request.form.get("job", "")))
        found = _TASK.fullmatch(request.path)
        if not found:
            raise HttpError(404, "There is no such page.")
        return self._task(request, session, found[1], found[2] or "")

    def _task(self, request: Request, session: Session, task_id: str, action: str) -> Response:
        handlers: dict[tuple[str, str], Callable[[Request, Session, str], Response]] = {
            ("GET", ""): self._task_page,
            ("GET", "frame"): self._frame,
            ("POST", "submit"): self._submit,
            ("POST", "auto-segment"): self._auto_segment,
            ("POST", "return"): self._release,
            ("POST", "decline"): self._release,
        }
        handler = handlers.get((request.method, action))
        if handler is None:
            raise HttpError(404, "There is no such page.")
        try:
            return handler(request, session, task_id)
        except TaskError as error:
            if request.headers.get("content-type", "").startswith("application/json"):
                return Response.json({"error": f"{error}."}, status=400)
            raise HttpError(409, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error

    def _sign_in_page(self) -> Response:
        teams = [card.to_page() for card in self._desk.teams()]
        return page(views.render("sign_in", title="Sign in", teams=teams, refresh=0 if teams else 5))

    def _sign_in(self, request: Request) -> Response:
        team, worker = request.form.get("team", ""), request.form.get("worker", "")
        member = self._desk.member(team, worker)
        if member is None:
            raise HttpError(400, "There is no such member of a work team.")
        cookie = self._sessions.open(worker=member.worker, name=member.name, team=team)
        return redirect("/jobs", {"set-cookie": cookie})

    def _jobs_page(self, session: Session) -> Response:
        notice, session.notice = session.notice, ""
        cards = [vars(card) for card in self._desk.jobs(session)]
        html = views.render(
            "jobs", title="Jobs", person=session.name, jobs=cards, notice=notice, refresh=0 if cards else 5
        )
        return page(html)

    def _next(self, session: Session, job: str) -> str:
        try:
            task = self._desk.take(session, job)
        except TaskError as error:
            raise HttpError(404, f"{error}.") from error
        return f"/tasks/{task.id}" if task else "/jobs"

    def _task_page(self, request: Request, session: Session, task_id: str) -> Response:
        task = self._desk.task(session, task_id)
        labeled, total = self._desk.progress(task.job)
        has_tool = self._desk.offers_auto_segment(task)
        if has_tool:
            self._pool.submit(self._desk.warm_up)
        html = views.render(
            "task",
            title=self._desk.title(task),
            person=session.name,
            path=f"/tasks/{task.id}",
            picture=task.source.key.rpartition("/")[2],
            progress=f"{labeled} of {total} labeled",
            seconds=round(task.deadline - time.time()),
            auto_segment="true" if has_tool else "false",
        )
        return page(html)

    def _frame(self, request: Request, session: Session, task_id: str) -> Response:
        try:
            content = self._desk.page(self._desk.task(session, task_id))
        except FrameError as error:
            return _frame_problem(str(error))
        portal = f"http://{request.headers['host'].lower()}"
        return frame_response(
            content, portal=portal, picture_origins=(self._gateway,), real_script=self._real_script
        )

    def _submit(self, request: Request, session: Session, task_id: str) -> Response:
        content = request.json()
        task = self._desk.task(session, task_id)
        self._desk.submit(session, task, content.get("answer") if isinstance(content, dict) else None)
        path = self._next(session, task.job)
        if path == "/jobs":
            session.notice = "Submitted. That was the last open task of this job for you: thank you!"
        return Response.json({"next": path})

    def _auto_segment(self, request: Request, session: Session, task_id: str) -> Response:
        content = request.json()
        task = self._desk.task(session, task_id)
        if not self._desk.offers_auto_segment(task):
            return Response.json({"error": "This task has no auto-segmentation tool."}, status=403)
        try:
            points = parse_points(content.get("points") if isinstance(content, dict) else None)
            return Response.json(self._desk.auto_segment(task, points).to_json())
        except AutoSegmentError as error:
            return Response.json({"error": str(error)}, status=400)

    def _release(self, request: Request, session: Session, task_id: str) -> Response:
        decline = request.path.endswith("/decline")
        self._desk.release(session, self._desk.task(session, task_id), decline=decline)
        session.notice = "You declined the task." if decline else "You returned the task."
        return redirect("/jobs")


def _error_page(error: HttpError) -> Response:
    html = views.render("error", title="Error", heading="That did not work", message=error.message)
    return page(html, status=error.status)


def _frame_problem(message: str) -> Response:
    html = views.render("frame_error", title="Problem", message=message)
    policy = views.POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    return page(html, status=500, headers={"content-security-policy": policy})
