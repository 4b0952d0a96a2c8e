"""What published files mean, as a hash: a template of equal meaning makes no other job.

A labeling job can't be changed, so whatever makes it another one stops it and makes a new one. Line ends that
git rewrote, the order of attributes or another indentation are not such a change.
"""

from __future__ import annotations

import hashlib
import json
from html.parser import HTMLParser


def template_identity(template: bytes) -> str:
    """Hash of a worker template's elements, attributes and words, whatever the white space between."""
    reader = _Reader()
    reader.feed(template.decode())
    reader.close()
    return _digest(reader.parts)


def content_identity(content: bytes) -> str:
    """Hash of a text's lines, whatever ends them."""
    return _digest(content.decode(errors="surrogateescape").splitlines())


def _digest(parts: list[object] | list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class _Reader(HTMLParser):
    """Takes a template apart into what a browser makes of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append([tag, sorted((name, _folded(value or "")) for name, value in attrs)])

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if words := _folded(data):
            self.parts.append(words)


def _folded(text: str) -> str:
    return " ".join(text.split())
