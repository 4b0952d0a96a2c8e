"""What a page around a task asks of the portal: the frame, drafts, submit, return, decline, auto-segment."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from ..service.drafts import MAX_DRAFT_BYTES
from ..service.errors import TaskError
from . import views
from .frame import FrameError, frame_response
from .http import HttpError, Request, Response, page, redirect
from .points import AutoSegmentError, parse_hints, parse_points
from .sessions import Session, Sessions
from .work import PortalWork

_PATH = re.compile(r"/tasks/([0-9a-f]{32})(?:/([a-z-]+))?")
_WINDOW = re.compile(r"[0-9a-f]{32}")
_TAKEN_OVER = "This task was opened in another window since. Go on there, or take it back here."


class TaskRoutes:
    """The routes below `/tasks/`.

    Args:
        desk: the portal's side of the service.
        sessions: where notices are left.
        pool: runs what nobody waits for.
        gateway: the address that presigned URLs of pictures begin with.
        real_elements: let templates load the real crowd-html-elements.js from the network.
    """

    def __init__(
        self, work: PortalWork, sessions: Sessions, pool: Executor, *, gateway: str, real_elements: bool
    ) -> None:
        self._work = work
        self._sessions = sessions
        self._pool = pool
        self._gateway = gateway
        self._real_elements = real_elements
        self._handlers: dict[tuple[str, str], Callable[[Request, Session, str], Response]] = {
            ("GET", ""): self._page,
            ("GET", "frame"): self._frame,
            ("POST", "open"): self._open,
            ("POST", "draft"): self._draft,
            ("POST", "submit"): self._submit,
            ("POST", "auto-segment"): self._auto_segment,
            ("POST", "return"): self._release,
            ("POST", "decline"): self._release,
        }

    def answer(self, request: Request, session: Session) -> Response:
        """Answer a request.

        Raises:
            HttpError: there is no such page, or the task isn't this member's.
        """
        found = _PATH.fullmatch(request.path)
        handler = self._handlers.get((request.method, found[2] or "")) if found else None
        if found is None or handler is None:
            raise HttpError(404, "There is no such page.")
        try:
            return handler(request, session, found[1])
        except TaskError as error:
            if request.headers.get("content-type", "").startswith("application/json"):
                return Response.json({"error": f"{error}."}, status=400)
            raise HttpError(409, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error

    def _page(self, request: Request, session: Session, task_id: str) -> Response:
        task = self._work.task(session, task_id)
        labeled, total = self._work.progress(task.job)
        has_tool = self._work.offers_auto_segment(task)
        if has_tool:
            self._pool.submit(self._work.warm_up)
        html = views.render(
            "task",
            title=self._work.title(task),
            person=session.name,
            path=f"/tasks/{task.id}",
            picture=task.source.key.rpartition("/")[2],
            progress=f"{labeled} of {total} labeled",
            seconds=round(self._work.time_left(task)),
            auto_segment="true" if has_tool else "false",
            # A draft is the worker's and the object's, so also the one in this browser.
            draft=f"{task.job} {task.index} {task.worker}",
        )
        return page(html)

    def _frame(self, request: Request, session: Session, task_id: str) -> Response:
        try:
            content = self._work.page(self._work.task(session, task_id))
        except FrameError as error:
            return _frame_problem(str(error))
        portal = f"http://{request.headers['host'].lower()}"
        return frame_response(
            content, portal=portal, picture_origins=(self._gateway,), real_elements=self._real_elements
        )

    def _open(self, request: Request, session: Session, task_id: str) -> Response:
        window = _window(_object(request))
        draft = self._work.drafts.open(self._work.task(session, task_id), window)
        if draft is None:
            return Response.json({"draft": None})
        content = base64.b64encode(draft.content).decode()
        return Response.json({"draft": content, "saved": draft.saved})

    def _draft(self, request: Request, session: Session, task_id: str) -> Response:
        content = _object(request)
        window = _window(content)
        try:
            draft = base64.b64decode(str(content.get("draft")), validate=True)
        except (binascii.Error, ValueError) as error:
            raise HttpError(400, "The draft is not base64.") from error
        if not draft or len(draft) > MAX_DRAFT_BYTES:
            raise HttpError(413, f"A draft has 1 to {MAX_DRAFT_BYTES} bytes.")
        if not self._work.drafts.save(self._work.task(session, task_id), window, draft):
            return Response.json({"error": _TAKEN_OVER}, status=409)
        return Response.json({"saved": True})

    def _submit(self, request: Request, session: Session, task_id: str) -> Response:
        content = _object(request)
        job = self._work.submitted(session, task_id)
        if job is None:
            task = self._work.task(session, task_id)
            owner = self._work.drafts.owner(task)
            # A page without drafts (a script's, say) names no window and is as good.
            if content.get("window") and owner and owner != content["window"]:
                return Response.json({"error": _TAKEN_OVER}, status=409)
            self._work.submit(session, task, content.get("answer"))
            job = task.job
        path = self._work.next(session, job)
        if path == "/jobs":
            text = "Submitted. That was the last open task of this job for you: thank you!"
            self._sessions.leave_notice(session, text)
        return Response.json({"next": path})

    def _auto_segment(self, request: Request, session: Session, task_id: str) -> Response:
        content = _object(request)
        task = self._work.task(session, task_id)
        if not self._work.offers_auto_segment(task):
            return Response.json({"error": "This task has no auto-segmentation tool."}, status=403)
        try:
            points = parse_points(content.get("points"))
            hints = parse_hints(content.get("hints"))
            return Response.json(self._work.auto_segment(task, points, hints).to_json())
        except AutoSegmentError as error:
            return Response.json({"error": str(error)}, status=400)

    def _release(self, request: Request, session: Session, task_id: str) -> Response:
        decline = request.path.endswith("/decline")
        self._work.release(session, self._work.task(session, task_id), decline=decline)
        text = "You declined the task." if decline else "You returned the task."
        self._sessions.leave_notice(session, text)
        return redirect("/jobs")


def _object(request: Request) -> dict[str, Any]:
    content = request.json()
    return content if isinstance(content, dict) else {}


def _window(content: dict[str, Any]) -> str:
    window = content.get("window")
    if not isinstance(window, str) or not _WINDOW.fullmatch(window):
        raise HttpError(400, "The window has no name.")
    return window


def _frame_problem(message: str) -> Response:
    html = views.render("frame_error", title="Problem", message=message)
    policy = views.POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    return page(html, status=500, headers={"content-security-policy": policy})
