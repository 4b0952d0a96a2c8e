"""The front-end files, under an address that names their content, so that browsers may keep them for good."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from .http import HttpError, Response

PREFIX = "/static/"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


@cache
def _files() -> dict[str, bytes]:
    return dict(_walk(resources.files(__package__).joinpath("static"), ""))


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        else:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, content in _files().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Return the path of a file, e.g. of ``crowd-html-elements.js``."""
    return f"{PREFIX}{_version()}/{name}"


def serve(path: str) -> Response:
    """Answer a request for a file.

    Raises:
        HttpError: there is no such file.
    """
    version, _, name = path.removeprefix(PREFIX).partition("/")
    content = _files().get(name)
    if content is None or version != _version():
        raise HttpError(404, "There is no such file.")
    kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
    return Response(
        body=content,
        content_type=f"{kind}; charset=utf-8",
        headers={
            "cache-control": "public, max-age=31536000, immutable",
            # The frame of a task has no origin, so its modules are read across origins; they are no secret.
            "access-control-allow-origin": "*",
        },
    )
