"""Who is signed in: an unguessable cookie for one origin, nothing else."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..service.store import Store

_LIFETIME = 12 * 3600
_MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class Session:
    """A member of a work team at work in one browser."""

    worker: str
    name: str
    team: str
    token: str
    """The cookie's hash, by which the session is kept."""


class Sessions:
    """The signed-in browsers; kept in the store, so that a restarted server knows them.

    Only hashes of the cookies are kept: whoever reads the state signs in as nobody.

    Args:
        port: the portal's. Cookies don't tell ports apart, so it is part of the cookie's name.
        store: where sessions are kept.
        clock: seconds since 1970.
    """

    def __init__(self, port: int, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.cookie = f"worker-portal-{port}"
        self._store = store
        self._clock = clock

    def open(self, *, worker: str, name: str, team: str) -> str:
        """Sign somebody in, which ends their older session; return the `Set-Cookie` header."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._store.transaction():
            self._store.execute("DELETE FROM sessions WHERE worker = ? OR since < ?", worker, now - _LIFETIME)
            self._store.execute(
                "DELETE FROM sessions WHERE token NOT IN"
                " (SELECT token FROM sessions ORDER BY since DESC LIMIT ?)",
                _MOST - 1,
            )
            self._store.execute(
                "INSERT INTO sessions (token, worker, name, team, since) VALUES (?, ?, ?, ?, ?)",
                _hash(token), worker, name, team, now,
            )  # fmt: skip
        return f"{self.cookie}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={_LIFETIME}"

    def find(self, cookies: dict[str, str]) -> Session | None:
        """Return the session of a request's cookies."""
        row = self._store.row(
            "SELECT * FROM sessions WHERE token = ? AND since >= ?",
            _hash(cookies.get(self.cookie, "")), self._clock() - _LIFETIME,
        )  # fmt: skip
        if row is None:
            return None
        return Session(worker=row["worker"], name=row["name"], team=row["team"], token=row["token"])

    def close(self, cookies: dict[str, str]) -> str:
        """Sign out; return the `Set-Cookie` header."""
        self._store.execute("DELETE FROM sessions WHERE token = ?", _hash(cookies.get(self.cookie, "")))
        return f"{self.cookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"

    def leave_notice(self, session: Session, text: str) -> None:
        """Keep a sentence to say once, on the next list of jobs."""
        self._store.execute("UPDATE sessions SET notice = ? WHERE token = ?", text, session.token)

    def take_notice(self, session: Session) -> str:
        """Return the sentence to say now, and forget it."""
        with self._store.transaction():
            row = self._store.row("SELECT notice FROM sessions WHERE token = ?", session.token)
            self._store.execute("UPDATE sessions SET notice = '' WHERE token = ?", session.token)
        return str(row["notice"]) if row else ""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
