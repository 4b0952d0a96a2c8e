"""Who is signed in: an unguessable cookie for one origin, nothing else."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field

_LIFETIME = 12 * 3600
_MOST = 10_000


@dataclass(kw_only=True)
class Session:
    """A member of a work team at work in one browser."""

    worker: str
    name: str
    team: str
    since: float
    notice: str = ""
    """Said once, on the next list of jobs."""
    tasks: dict[str, str] = field(default_factory=dict)
    """The task at hand by its job's ARN, so that a reload goes on with it."""


class Sessions:
    """The signed-in browsers.

    Args:
        port: the portal's. Cookies don't tell ports apart, so it is part of the cookie's name.
    """

    def __init__(self, port: int) -> None:
        self.cookie = f"worker-portal-{port}"
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, *, worker: str, name: str, team: str) -> str:
        """Sign somebody in; return the ``Set-Cookie`` header."""
        token = secrets.token_urlsafe(32)
        now = time.monotonic()
        with self._lock:
            live = {key: one for key, one in self._sessions.items() if now - one.since < _LIFETIME}
            while len(live) >= _MOST:
                del live[next(iter(live))]
            live[token] = Session(worker=worker, name=name, team=team, since=now)
            self._sessions = live
        return f"{self.cookie}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={_LIFETIME}"

    def find(self, cookies: dict[str, str]) -> Session | None:
        """Return the session of a request's cookies."""
        with self._lock:
            session = self._sessions.get(cookies.get(self.cookie, ""))
        return session if session and time.monotonic() - session.since < _LIFETIME else None

    def close(self, cookies: dict[str, str]) -> str:
        """Sign out; return the ``Set-Cookie`` header."""
        with self._lock:
            self._sessions.pop(cookies.get(self.cookie, ""), None)
        return f"{self.cookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
