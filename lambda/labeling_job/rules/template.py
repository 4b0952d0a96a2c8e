"""The worker template: rendered with a small part of Liquid, and searched for the elements that a task needs.

Outputs of ``task.input``, filters by name and tags by their pairing are enough for that. What a condition or
a loop shows depends on the object, so a page is rendered twice: with the first branch of each, and with the
last. What neither page has is missing; what one of them lacks may be.
"""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from ..limits import TEMPLATE_CHARACTERS_MAX
from .findings import Findings
from .places import place_of

CHECK = "template"
_FORM = "crowd-form"
_SCRIPT = "crowd-html-elements.js"
_IMAGE_URL = "https://image.invalid/of-the-first-object"
_ANY_IMAGE = "s3://bucket/image.jpg"
_ANY_LABELS = ["label"]

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


@dataclass(frozen=True, kw_only=True)
class _Widget:
    """The element whose answer a task type collects (the guide's pages on the two crowd elements)."""

    tag: str
    choices: str
    without_header: str


_SEGMENTATION = _Widget(
    tag="crowd-semantic-segmentation",
    choices="labels",
    without_header="without it there is no auto-segmentation",
)
_CLASSIFIER = _Widget(
    tag="crowd-image-classifier", choices="categories", without_header="the element requires it"
)


class TemplateError(ValueError):
    """The template can't be rendered; the message says where."""


def check(
    data: bytes,
    first: Mapping[str, Any],
    labels: list[str] | None,
    findings: Findings,
    *,
    is_verification: bool = False,
) -> None:
    """Render a template for the first object, and check its elements.

    Args:
        data: the template.
        first: the first line of the manifest; empty where there is none yet.
        labels: the job's; None where they can't be known.
        findings: gets what is wrong.
        is_verification: whether workers choose a verdict instead of painting.
    """
    widget = _CLASSIFIER if is_verification else _SEGMENTATION
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.error(CHECK, "the worker template must be UTF-8", error)
        return
    if not 0 < len(source) <= TEMPLATE_CHARACTERS_MAX:
        rule = f"the worker template must have 1 to {TEMPLATE_CHARACTERS_MAX:,} characters"
        findings.error(CHECK, rule, f"{len(source):,}")
        return
    image = first.get("source-ref", _ANY_IMAGE)
    known = labels or _ANY_LABELS
    values = {"task": {"input": {"taskObject": image, "labels": known, "manifestLine": first}}}
    try:
        pages = [_parsed(render(source, values, last=last), widget.tag) for last in (False, True)]
    except TemplateError as error:
        findings.error(CHECK, "the worker template must be Liquid that can be rendered", error)
        return
    found = [list(_problems(page, widget, known)) for page in pages]
    if all(found):
        for rule, got in found[0]:
            findings.error(CHECK, rule, got)
    elif any(found):
        rule, got = next(filter(None, found))[0]
        findings.warn(CHECK, f"as a condition or loop decides it: {rule}", got)
    if not any(found) and any("header" not in page.elements[0] for page in pages):
        findings.warn(CHECK, f"<{widget.tag}> should have a header; {widget.without_header}")


def render(source: str, values: Mapping[str, Any], *, last: bool = False) -> str:
    """The page with the first branch of each condition and loop, or with the last: `else`, or nothing.

    Raises:
        TemplateError: Liquid that isn't closed, a tag or filter that doesn't exist.
    """
    parts, blocks = [], _Blocks(last)
    for position, token in _tokens(source):
        try:
            if token.startswith("{{"):
                text = _output(token[2:-2].strip("-").strip(), values)
            elif token.startswith("{%"):
                blocks.see(token[2:-2].strip("-").split())
                continue
            else:
                text = token
        except TemplateError as error:
            raise TemplateError(f"line {_line(source, position)}: {error}") from error
        if blocks.shown():
            parts.append(text)
    if blocks.open:
        raise TemplateError(f"{{% {blocks.open[-1]} %}} is not closed")
    return "".join(parts)


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
                raise TemplateError(f"{{% {name} %}} closes nothing")
            self._branches.pop()
        elif name not in _TAGS and not (name in _WITHIN and self.open):
            raise TemplateError(f"there is no tag {name!r}")
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
            raise TemplateError(f"line {_line(source, start)}: {match[0]} is not closed")
        token, position = source[start : end + 2], end + 2
        word = token[2:-2].strip("-").strip()
        if closing == "}}" or word not in _VERBATIM:
            yield start, token
            continue
        ending = re.compile(rf"\{{%-?\s*end{word}\s*-?%\}}").search(source, position)
        if ending is None:
            raise TemplateError(f"line {_line(source, start)}: {{% {word} %}} is not closed")
        if _VERBATIM[word] and "{{" not in (shown := source[position : ending.start()]) and "{%" not in shown:
            yield position, shown
        position = ending.end()
    if position < len(source):
        yield position, source[position:]


def _output(expression: str, values: Mapping[str, Any]) -> str:
    name, *filters = _pipes(expression)
    if not name:
        raise TemplateError("an empty output")
    value, escaped = _value(name, values), False
    for part in filters:
        word = part.partition(":")[0].strip()
        if word not in _FILTERS:
            raise TemplateError(f"there is no filter {word!r}")
        if word == "to_json":
            value = json.dumps(value, ensure_ascii=False, default=str)
        elif word == "grant_read_access" and place_of(value) is not None:
            value = _IMAGE_URL
        elif word in ("escape", "skip_autoescape"):
            escaped = True
            value = html.escape(_text(value)) if word == "escape" else value
    return _text(value) if escaped else html.escape(_text(value))


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
        # As Liquid shows a list: one item after the other.
        return "".join(map(_text, value))
    return "" if value is None else value if isinstance(value, str) else str(value)


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


class _Page(HTMLParser):
    def __init__(self, tag: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tag = tag
        self.forms = self.depth = self.outside = 0
        self.scripted = False
        self.elements: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and str(dict(attrs).get("src")).endswith(f"/{_SCRIPT}"):
            self.scripted = True
        if tag == _FORM:
            self.forms += 1
            self.depth += 1
        if tag == self.tag:
            self.elements.append(dict(attrs))
            self.outside += not self.depth

    def handle_endtag(self, tag: str) -> None:
        if tag == _FORM:
            self.depth -= 1


def _parsed(page: str, tag: str) -> _Page:
    # What is never closed is no markup, and the parser would look for its end from each beginning.
    parts = page.split("<!--")
    visible = parts[0] + "".join(part.partition("-->")[2] for part in parts[1:])
    parser = _Page(tag)
    parser.feed(visible[: visible.rfind(">") + 1])
    parser.close()
    return parser


def _problems(page: _Page, widget: _Widget, labels: list[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a page, as rule and what was met."""
    if page.forms != 1:
        yield f"the worker template must have one <{_FORM}>", f"{page.forms}"
        return
    if len(page.elements) != 1:
        yield f"the worker template must have one <{widget.tag}>", f"{len(page.elements)}"
        return
    if not page.scripted:
        script = f'<script src="https://assets.crowd.aws/{_SCRIPT}"></script>'
        yield f"the worker template must load the crowd elements; add {script}", ""
    if page.outside:
        yield f"<{widget.tag}> must be inside of <{_FORM}>", ""
    element = page.elements[0]
    if not element.get("name"):
        yield f"<{widget.tag}> must have a name", ""
    if element.get("src") != _IMAGE_URL:
        rule = f'<{widget.tag}> must have src="{{{{ task.input.taskObject | grant_read_access }}}}"'
        yield rule, f"it renders as {element.get('src')!r}"
    shown = _list(element.get(widget.choices) or "")
    if not isinstance(shown, list) or not shown or not all(isinstance(label, str) for label in shown):
        rule = f'<{widget.tag}> must have {widget.choices}="{{{{ task.input.labels | to_json | escape }}}}"'
        yield rule, f"it renders as {str(element.get('labels'))[:60]!r}"
    elif unknown := [label for label in shown if label not in labels]:
        yield "the template must offer the category file's labels only", repr(unknown[0])


def _list(text: str) -> object:
    """A JSON list, or one in single quotes, as in the guide's own sample."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None
