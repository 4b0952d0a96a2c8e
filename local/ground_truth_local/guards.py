"""Which requests the gateway refuses before anyone looks at them.

Any web page may POST to a loopback address, and a Lambda created that way would run on the laptop. A browser
names the page in ``Origin``; a page that rebinds its own name to 127.0.0.1 shows itself by ``Host``.
"""

from __future__ import annotations

from collections.abc import Iterable

from .settings import HOST

# MiniStack's own endpoints that are needed: readiness, and where custom resources answer.
_OPEN_PATHS = (
    "/_ministack/health",
    "/_ministack/ready",
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
)


class Guard:
    """Refuse foreign ``Host``, foreign ``Origin`` and MiniStack's unauthenticated admin endpoints."""

    def __init__(self, port: int, origins: Iterable[str] = ()) -> None:
        self._hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
        self._origins = frozenset(f"http://{host}" for host in self._hosts) | frozenset(origins)

    def refusal(self, path: str, headers: dict[str, str], *, presigned_read: bool = False) -> str | None:
        """Say in one sentence why the request is refused, or ``None``.

        A presigned read carries its own permission, and pages of other origins are what it is made for:
        S3 and the bucket's CORS rules decide. A task's frame, for one, has no origin at all.
        """
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return f"Host {host!r} is not this server's; use {min(self._hosts)}."
        origin = headers.get("origin")
        if origin is not None and not presigned_read and origin.lower() not in self._origins:
            return f"Origin {origin!r} may not call this server; it serves its own pages only."
        if path.startswith("/_") and not path.startswith(_OPEN_PATHS):
            return f"{path} is an administration endpoint without authentication, which is closed here."
        return None
