"""The worker's page for a picture, without a deploy: in the browser, or as a PNG for a review."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..service import template
from ..service.errors import JobFailure
from ..service.rules import S3Location
from ..serving import in_thread
from ..settings import HOST
from . import static_files, views
from .browser import launch
from .designs import Design, DesignError
from .frame import FrameError, TemplatePage, frame_response
from .http import HttpError, Receive, Request, Response, Scope, Send, page, read_body
from .points import AutoSegmentError, parse_hints, parse_points
from .watching import Watch

_MAX_BODY = 1 << 20
_BUCKET = "preview"
_READY_MILLISECONDS = 30_000


class Preview:
    """Serves one design and one picture.

    Args:
        design: the job.
        picture: the picture to show.
        port: where this listens.
        watch: what the page follows, which otherwise stays as it is.

    Raises:
        FrameError: the template can't be rendered or shown.
    """

    def __init__(self, design: Design, picture: Path, *, port: int, watch: Watch | None = None) -> None:
        self._design = design
        self._watch = watch
        self._version = 0
        self._problem = ""
        self._picture = picture
        self._origin = f"http://{HOST}:{port}"
        self._host = f"{HOST}:{port}"
        # The frame has no origin, so its picture is read across origins: only who knows the address may.
        self._picture_path = f"/picture/{secrets.token_urlsafe(32)}"
        self._page = self._render()

    def _render(self) -> TemplatePage:
        key = re.sub(r"[^\w.-]", "-", self._picture.name)
        uri = f"s3://{_BUCKET}/{key}"
        task_input = {"taskObject": uri, "labels": self._design.labels, "manifestLine": {"source-ref": uri}}
        try:
            template.check_template(self._design.template, task_input=task_input, labels=self._design.labels)
            html = template.render(self._design.template, task_input=task_input, presign=self._presign)
        except JobFailure as error:
            raise FrameError(str(error)) from error
        return TemplatePage(html)

    def _presign(self, location: S3Location) -> str:
        if location.bucket != _BUCKET:
            raise FrameError(f"The template shows {location}, which is not there without a deploy.")
        return f"{self._origin}{self._picture_path}?X-Amz-Signature=preview"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
        try:
            body = await read_body(receive, _MAX_BODY)
            request = Request(method=scope["method"], path=scope["path"], headers=headers, body=body)
            response = await asyncio.to_thread(self._answer, request)
        except HttpError as error:
            response = Response(status=error.status, body=error.message.encode())
        fields = {"cache-control": "no-store", **views.SECURITY, **response.headers}
        await replace(response, headers=fields).send(send)

    def _answer(self, request: Request) -> Response:
        if request.headers.get("host") != self._host:
            raise HttpError(403, "This is not my name.")
        if request.path.startswith(static_files.PREFIX):
            return static_files.serve(request.path)
        match request.method, request.path:
            case "GET", "/":
                return self._outer_page()
            case "GET", "/version":
                self._follow()
                return Response.json({"version": self._version})
            case "GET", "/task/frame":
                return frame_response(self._page, portal=self._origin, picture_origins=(self._origin,))
            case "GET", self._picture_path:
                kind = "image/png" if self._picture.suffix.lower() == ".png" else "image/jpeg"
                cors = {"access-control-allow-origin": "*"}
                return Response(body=self._picture.read_bytes(), content_type=kind, headers=cors)
            case "POST", "/task/auto-segment" if request.headers.get("origin") == self._origin:
                return self._auto_segment(request)
        raise HttpError(404, "There is no such page.")

    def _follow(self) -> None:
        """Take what has changed; what can't be shown is told on the page until it can."""
        try:
            design = self._watch.fresh() if self._watch else None
            if design is None:
                return
            self._design, self._problem = design, ""
            self._page = self._render()
        except (DesignError, FrameError) as error:
            self._problem = str(error)
        self._version += 1

    def _outer_page(self) -> Response:
        self._follow()
        if self._problem:
            html = views.render(
                "error", title="Preview", heading="That did not work", message=self._problem, refresh=1
            )
            return page(html, headers={"content-security-policy": views.POLICY})
        has_tool = self._page.offers_auto_segment(self._design.workteam)
        html = views.render(
            "preview",
            title=self._design.title,
            path="/task",
            picture=self._picture.name,
            auto_segment="true" if has_tool else "false",
            version=str(self._version) if self._watch else "",
        )
        return page(html, headers={"content-security-policy": views.POLICY})

    def _auto_segment(self, request: Request) -> Response:
        from .auto_segment import auto_segment

        try:
            content = request.json()
            points, hints = parse_points(content.get("points")), parse_hints(content.get("hints"))
            return Response.json(auto_segment(self._picture.read_bytes(), points, hints).to_json())
        except AutoSegmentError as error:
            return Response.json({"error": str(error)}, status=400)


@contextlib.contextmanager
def serving(design: Design, picture: Path, *, port: int = 0, watch: Watch | None = None) -> Iterator[str]:
    """Serve a preview for the length of a ``with``; gives its address.

    Raises:
        FrameError: the template can't be rendered or shown.
    """
    listener = socket.create_server((HOST, port))
    taken = listener.getsockname()[1]
    app = Preview(design, picture, port=taken, watch=watch)
    with in_thread(app, listener, "preview"):
        yield f"http://{HOST}:{taken}"


def screenshot(address: str, path: Path, *, width: int = 1280, height: int = 800, full: bool = False) -> None:
    """Write a PNG of a preview once its picture is there.

    Args:
        address: of the preview.
        path: the PNG file.
        width: of the window.
        height: of the window.
        full: with the full instructions open.

    Raises:
        FrameError: the page shows a problem instead of the picture.
        BrowserMissing: there is no browser.
    """
    with launch() as browser:
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.goto(address)
        frame = tab.frame_locator("#frame")
        widget = frame.locator("crowd-semantic-segmentation[data-state]")
        widget.wait_for(timeout=_READY_MILLISECONDS)
        problem = ""
        if widget.get_attribute("data-state") != "ready":
            problem = frame.get_by_role("alert").inner_text()
        if full:
            frame.get_by_role("button", name="View full instructions").click()
        tab.screenshot(path=path)
    if problem:
        raise FrameError(problem.replace("\n", ": "))
