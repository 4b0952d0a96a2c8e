"""A small part of Liquid, as a worker template needs it to be looked at.

Outputs of ``task.input``, filters by name and tags by their pairing are enough for that.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .places import place_of

#: What an object becomes that passed through grant_read_access.
READABLE = "https://image.invalid/of-the-first-object"

_OPENING = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"""[A-Za-z_][\w\-]*(?:\.[\w\-]+|\[(?:"[^"]*"|'[^']*'|\d+)\])*""")
_STEP = re.compile(r"""\.([\w\-]+)|\[(?:"([^"]*)"|'([^']*)'|(\d+))\]|^([A-Za-z_][\w\-]*)""")
_BLOCKS = {"if", "unless", "case", "for", "capture", "tablerow"}
_BRANCHES = {"else", "elsif", "when"}
_WITHIN = _BRANCHES | {"break", "continue"}
# Liquid of these is not looked at: what ends them, and whether it is shown.
_VERBATIM = {"comment": False, "raw": True}
_TAGS = _BLOCKS | {"assign", "cycle", "decrement", "increment"}
#: Liquid's own and Ground Truth's.
_FILTERS = frozenset(
    """abs append at_least at_most capitalize ceil compact concat date default divided_by downcase escape
    escape_once first floor join last lstrip map minus modulo newline_to_br plus prepend remove
    remove_first replace replace_first reverse round rstrip size slice sort sort_natural split strip
    strip_html strip_newlines sum times truncate truncatewords uniq upcase url_decode url_encode where
    grant_read_access to_json skip_autoescape""".split()  # noqa: SIM905
)


class LiquidError(ValueError):
    """The template can't be rendered; the message says where."""


def render(source: str, values: Mapping[str, Any], *, last: bool = False) -> str:
    """The page with the first branch of each condition and loop, or with the last: `else`, or nothing.

    Raises:
        LiquidError: Liquid that isn't closed, a tag or filter that doesn't exist.
    """
    blocks, known = _Blocks(last), dict(values)
    # What is captured isn't shown where it stands, but where its name does.
    texts: list[list[str]] = [[]]
    names: list[str] = []
    for position, token in _tokens(source):
        try:
            if token.startswith("{%"):
                words = token[2:-2].strip("-").split()
                blocks.see(words)
                if words[0] == "capture":
                    texts.append([])
                    names.append(" ".join(words[1:2]))
                elif words[0] == "endcapture":
                    known[names.pop()] = "".join(texts.pop())
                elif words[0] == "assign" and blocks.shown():
                    name, _, expression = " ".join(words[1:]).partition("=")
                    known[name.strip()] = _filtered(expression, known)[0]
                continue
            text = _output(token[2:-2].strip("-").strip(), known) if token.startswith("{{") else token
        except LiquidError as error:
            raise LiquidError(f"line {_line(source, position)}: {error}") from error
        if blocks.shown():
            texts[-1].append(text)
    if blocks.open:
        raise LiquidError(f"{{% {blocks.open[-1]} %}} is not closed")
    return "".join(texts[0])


class _Blocks:
    """Which blocks are open, and whether the branch that is read is shown."""

    def __init__(self, last: bool) -> None:
        self._last = last
        self.open: list[str] = []
        self._branches: list[str] = []

    def shown(self) -> bool:
        return all(
            kind == "capture" or branch == ("else" if self._last else "first")
            for kind, branch in zip(self.open, self._branches, strict=True)
        )

    def see(self, words: list[str]) -> None:
        name = words[0] if words else ""
        if name.startswith("end") and name[3:] in _BLOCKS:
            if not self.open or self.open.pop() != name[3:]:
                raise LiquidError(f"{{% {name} %}} closes nothing")
            self._branches.pop()
        elif name not in _TAGS and not (name in _WITHIN and self.open):
            raise LiquidError(f"there is no tag {name!r}")
        elif name in _BLOCKS:
            self.open.append(name)
            # Before its first `when`, a `case` shows nothing.
            self._branches.append("" if name == "case" else "first")
        elif name in _BRANCHES:
            first_when = name == "when" and not self._branches[-1]
            self._branches[-1] = "first" if first_when else "else" if name == "else" else "other"


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """Text, outputs and tags with their places; each is looked for once, whatever is not closed."""
    position = 0
    while match := _OPENING.search(source, position):
        if match.start() > position:
            yield position, source[position : match.start()]
        start = match.start()
        closing = "}}" if match[0] == "{{" else "%}"
        end = source.find(closing, start + 2)
        if end < 0:
            raise LiquidError(f"line {_line(source, start)}: {match[0]} is not closed")
        token, position = source[start : end + 2], end + 2
        word = token[2:-2].strip("-").strip()
        if closing == "}}" or word not in _VERBATIM:
            yield start, token
            continue
        ending = re.compile(rf"\{{%-?\s*end{word}\s*-?%\}}").search(source, position)
        if ending is None:
            raise LiquidError(f"line {_line(source, start)}: {{% {word} %}} is not closed")
        if _VERBATIM[word] and "{{" not in (shown := source[position : ending.start()]) and "{%" not in shown:
            yield position, shown
        position = ending.end()
    if position < len(source):
        yield position, source[position:]


def _output(expression: str, values: Mapping[str, Any]) -> str:
    value, escaped = _filtered(expression, values)
    return _text(value) if escaped else html.escape(_text(value))


def _filtered(expression: str, values: Mapping[str, Any]) -> tuple[Any, bool]:
    """A variable after its filters, and whether it is as it has to be on the page."""
    name, *filters = _pipes(expression)
    if not name:
        raise LiquidError("an empty output")
    value, escaped = _value(name, values), False
    for part in filters:
        word = part.partition(":")[0].strip()
        if word not in _FILTERS:
            raise LiquidError(f"there is no filter {word!r}")
        if word == "to_json":
            value = json.dumps(value, ensure_ascii=False, default=str)
        elif word == "grant_read_access" and place_of(value) is not None:
            value = READABLE
        elif word in ("escape", "skip_autoescape"):
            escaped = True
            value = html.escape(_text(value)) if word == "escape" else value
    return value, escaped


def _pipes(expression: str) -> list[str]:
    """The variable and its filters; a ``|`` in a quoted argument parts nothing."""
    parts, quote = [""], ""
    for character in expression:
        if character == "|" and not quote:
            parts.append("")
            continue
        if character in "\"'" and quote in ("", character):
            quote = "" if quote else character
        parts[-1] += character
    return [part.strip() for part in parts]


def _value(name: str, values: Mapping[str, Any]) -> Any:
    """A variable's value, nothing where there is none; a literal is itself."""
    if name[0] in "\"'":
        return name.strip("\"'")
    if not _NAME.fullmatch(name):
        return ""
    value: Any = values
    for step in _STEP.finditer(name):
        key = next(group for group in step.groups() if group is not None)
        if isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _text(value: Any) -> str:
    if isinstance(value, list):
        # Liquid shows a list like this: one item after the other.
        return "".join(map(_text, value))
    return "" if value is None else value if isinstance(value, str) else str(value)


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1
