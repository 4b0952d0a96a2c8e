"""Which requests the gateway refuses before anyone looks at them.

Any web page may POST to a loopback address, and a Lambda created that way would run on the laptop. A browser
names the page in ``Origin``; a page that rebinds its own name to 127.0.0.1 shows itself by ``Host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.services import s3

from .settings import HOST

# MiniStack's own endpoints that are needed: readiness, and where custom resources answer.
_OPEN_PATHS = (
    "/_ministack/health",
    "/_ministack/ready",
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
)

# These are the image registry and the metadata of instances and of containers: MiniStack never asks these
# for a signature.
_UNAUTHENTICATED = re.compile(r"/v2/?$|/v2/_catalog|/v2/.+/(manifests|blobs|tags)(/|$)|/latest/|/v[34]/")
# What SDKs send without a signature; MiniStack asks for a password or a token instead.
_UNSIGNED_TARGETS = ("AWSCognitoIdentityProviderService.", "AWSCognitoIdentityService.")
_UNSIGNED_LINKS = frozenset({"ConfirmSubscription", "Unsubscribe"})


def is_bucket(path: str) -> bool:
    """Whether a path begins with the name of a bucket that is there."""
    name = path.lstrip("/").partition("/")[0]
    return bool(name) and s3._bucket_owner_account(name) is not None


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
        if _UNAUTHENTICATED.match(path) and not is_bucket(path):
            return f"{path} would be answered to anybody; there are no containers and instances here."
        if path.startswith("/_") and not path.startswith(_OPEN_PATHS):
            return f"{path} is an administration endpoint without authentication, which is closed here."
        return None

    def is_anonymous(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
        """Whether nobody signed a request that somebody must sign.

        MiniStack answers many services without asking who calls: creating a bucket, containers, the image
        registry, instance metadata. Left open are what a bucket's policy decides, and what SDKs never sign.
        """
        path, method = scope["path"], scope["method"]
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if headers.get("authorization", "").startswith(("AWS4-", "AWS ")) or "X-Amz-Signature" in query:
            return False
        return not (
            method == "OPTIONS"
            or path.startswith(_OPEN_PATHS)
            or (method in {"GET", "HEAD"} and is_bucket(path))
            or headers.get("x-amz-target", "").startswith(_UNSIGNED_TARGETS)
            or (method == "GET" and bool(_UNSIGNED_LINKS & set(query.get("Action", []))))
        )
