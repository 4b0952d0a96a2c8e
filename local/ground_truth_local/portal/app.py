"""The portal's ASGI application, on an origin of its own: S3 objects of the gateway's must not share it."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from ..console.app import PREFIX, Console
from ..service.api import GroundTruthService
from ..service.teams import Directory, nobody
from ..settings import HOST
from . import static_files, views
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
from .sessions import Session, Sessions
from .tasks import TaskRoutes
from .work import PortalWork

_MAX_BODY = 64 * 1024 * 1024
_MAX_FORM = 16 * 1024
_THREADS = 16
_log = logging.getLogger(__name__)


class Portal:
    """People sign in as a member of a work team and do its tasks.

    Args:
        service: the Ground Truth service of this process.
        port: where the portal listens.
        gateway: the address that presigned URLs of pictures begin with.
        directory: tells the users of a Cognito group.
        console: the author's console, by another key than the workers'.
        real_elements: let templates load the real crowd-html-elements.js from the network.
    """

    def __init__(
        self,
        service: GroundTruthService,
        *,
        port: int,
        gateway: str,
        directory: Directory = nobody,
        console: Console | None = None,
        real_elements: bool = False,
    ) -> None:
        self._work = PortalWork(service, directory)
        self._hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
        self._console = console
        self._sessions = Sessions(port, service.store)
        # The threads are our own: rendering calls back into the gateway, which has a pool that must not run
        # dry.
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="portal")
        self._tasks = TaskRoutes(
            self._work, self._sessions, self._pool, gateway=gateway, real_elements=real_elements
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif self._console is not None and f"{scope['path']}/".startswith(f"{PREFIX}/"):
            await self._console(scope, receive, send)
        else:
            await (await self._respond(scope, receive)).send(send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._console is not None:
            self._console.close()
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
            # An error of ours becomes a page, and the next request is served.
            _log.exception("%s %s failed", scope["method"], scope["path"])
            response = _error_page(HttpError(500, "Something went wrong; the server's log says what."))
        fields = {"content-security-policy": views.POLICY, "cache-control": "no-store", **views.SECURITY}
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
                return redirect(self._work.next(session, request.form.get("job", "")))
        return self._tasks.answer(request, session)

    def _sign_in_page(self) -> Response:
        teams = [card.to_page() for card in self._work.teams()]
        return page(views.render("sign_in", title="Sign in", teams=teams, refresh=0 if teams else 5))

    def _sign_in(self, request: Request) -> Response:
        team, worker = request.form.get("team", ""), request.form.get("worker", "")
        member = self._work.member(team, worker)
        if member is None:
            raise HttpError(400, "There is no such member of a work team.")
        cookie = self._sessions.open(worker=member.worker, name=member.name, team=team)
        return redirect("/jobs", {"set-cookie": cookie})

    def _jobs_page(self, session: Session) -> Response:
        notice = self._sessions.take_notice(session)
        held = [vars(card) for card in self._work.held(session)]
        cards = [vars(card) for card in self._work.jobs(session)]
        html = views.render(
            "jobs",
            title="Jobs",
            person=session.name,
            held=held,
            jobs=cards,
            notice=notice,
            refresh=0 if cards or held else 5,
        )
        return page(html)


def _error_page(error: HttpError) -> Response:
    html = views.render("error", title="Error", heading="That did not work", message=error.message)
    return page(html, status=error.status)
