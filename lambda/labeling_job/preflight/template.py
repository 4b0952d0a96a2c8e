"""The worker template: rendered for the first object, and searched for the elements that a task needs.

A small part of Liquid is enough for that: outputs of ``task.input``, filters by name, tags by their pairing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

from .access import Reader, ReadError
from .findings import Findings
from .plan import Plan, place_of

FILE_BYTES_MAX: Final = 10 * 1024 * 1024
_CHECK: Final = "template"
_ELEMENT: Final = "crowd-semantic-segmentation"
_IMAGE_URL: Final = "https://image.invalid/of-the-first-object"

_ANY_IMAGE: Final = "s3://bucket/image.jpg"
_ANY_LABELS: Final = ["label"]

_TOKEN = re.compile(r"\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_COMMENT = re.compile(r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL)
_NAME = re.compile(r"""[A-Za-z_][\w\-]*(?:\.[\w\-]+|\[(?:"[^"]*"|'[^']*'|\d+)\])*""")
_STEP = re.compile(r"""\.([\w\-]+)|\[(?:"([^"]*)"|'([^']*)'|(\d+))\]|^([A-Za-z_][\w\-]*)""")
_BLOCKS = {"if", "unless", "case", "for", "capture", "tablerow"}
_WITHIN = {"else", "elsif", "when", "break", "continue"}
_TAGS = _BLOCKS | {"assign", "cycle", "decrement", "increment"}
#: Liquid's own and Ground Truth's.
_FILTERS = frozenset(
    """abs append at_least at_most capitalize ceil compact concat date default divided_by downcase escape
    escape_once first floor join last lstrip map minus modulo newline_to_br plus prepend remove
    remove_first replace replace_first reverse round rstrip size slice sort sort_natural split strip
    strip_html strip_newlines sum times truncate truncatewords uniq upcase url_decode url_encode where
    grant_read_access to_json skip_autoescape""".split()  # noqa: SIM905
)


class TemplateError(ValueError):
    """The template can't be rendered; the message says where."""


def check_template(
    reader: Reader, plan: Plan, first: Mapping[str, Any], labels: list[str] | None, findings: Findings
) -> None:
    """Read the job's template, render it for the first object and check its elements."""
    if plan.template is None:
        findings.error(_CHECK, "the worker template must be an object's S3 URI, s3://bucket/key")
        return
    try:
        source = reader.whole(plan.template, limit=FILE_BYTES_MAX).decode("utf-8-sig")
    except ReadError as error:
        findings.error(_CHECK, "the worker template must be readable", f"{plan.template} ({error})")
    except UnicodeDecodeError as error:
        findings.error(_CHECK, "the worker template must be UTF-8", str(error))
    else:
        for rule, got in problems(source, first, labels):
            findings.error(_CHECK, rule, got)


def problems(source: str, first: Mapping[str, Any], labels: list[str] | None) -> list[tuple[str, str]]:
    """What is wrong with a template, as rule and what was met."""
    # Where there is no first object or no label, what stands for it has to render as well.
    image = first.get("source-ref", _ANY_IMAGE)
    task_input = {"taskObject": image, "labels": labels or _ANY_LABELS, "manifestLine": first}
    try:
        page = render(source, {"task": {"input": task_input}})
    except TemplateError as error:
        return [("the worker template must be Liquid that can be rendered", str(error))]
    return _element_problems(_parsed(page), labels or _ANY_LABELS)


def render(source: str, values: Mapping[str, Any]) -> str:
    """The page; of branches and loops every part once, as each may be shown, and of comments nothing.

    Raises:
        TemplateError: Liquid that isn't closed, a tag or filter that doesn't exist.
    """
    source = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), source)
    parts, position, open_blocks = [], 0, list[str]()
    for match in _TOKEN.finditer(source):
        parts.append(_plain(source, position, match.start()))
        position = match.end()
        try:
            parts.append(_rendered(match[0], values, open_blocks))
        except TemplateError as error:
            raise TemplateError(f"line {_line(source, match.start())}: {error}") from error
    parts.append(_plain(source, position, len(source)))
    if open_blocks:
        raise TemplateError(f"{{% {open_blocks[-1]} %}} is not closed")
    return "".join(parts)


def _rendered(token: str, values: Mapping[str, Any], open_blocks: list[str]) -> str:
    inner = token[2:-2].strip("-").strip()
    if token.startswith("{{"):
        return _output(inner, values)
    if "endraw" not in token:
        _tag(inner.split(), open_blocks)
    return ""


def _plain(source: str, start: int, end: int) -> str:
    text = source[start:end]
    for opening in ("{{", "{%"):
        if opening in text:
            raise TemplateError(f"line {_line(source, start + text.index(opening))}: {opening} is not closed")
    return text


def _tag(words: list[str], open_blocks: list[str]) -> None:
    name = words[0] if words else ""
    if name.startswith("end") and name[3:] in _BLOCKS:
        if not open_blocks or open_blocks.pop() != name[3:]:
            raise TemplateError(f"{{% {name} %}} closes nothing")
    elif name not in _TAGS and not (name in _WITHIN and open_blocks):
        raise TemplateError(f"there is no tag {name!r}")
    elif name in _BLOCKS:
        open_blocks.append(name)


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
    return "" if value is None else value if isinstance(value, str) else str(value)


def _line(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms = self.depth = self.outside = 0
        self.elements: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "crowd-form":
            self.forms += 1
            self.depth += 1
        if tag == _ELEMENT:
            self.elements.append(dict(attrs))
            self.outside += not self.depth

    def handle_endtag(self, tag: str) -> None:
        if tag == "crowd-form":
            self.depth -= 1


def _parsed(page: str) -> _Page:
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser


def _element_problems(page: _Page, labels: list[str]) -> list[tuple[str, str]]:
    if page.forms != 1:
        return [("the worker template must have one <crowd-form>", f"{page.forms}")]
    if len(page.elements) != 1:
        return [(f"the worker template must have one <{_ELEMENT}>", f"{len(page.elements)}")]
    found = []
    if page.outside:
        found.append((f"<{_ELEMENT}> must be inside of <crowd-form>", ""))
    element = page.elements[0]
    if not element.get("name"):
        found.append((f"<{_ELEMENT}> must have a name", ""))
    if element.get("src") != _IMAGE_URL:
        rule = f'<{_ELEMENT}> must have src="{{{{ task.input.taskObject | grant_read_access }}}}"'
        found.append((rule, f"it renders as {element.get('src')!r}"))
    return [*found, *_label_problems(element.get("labels"), labels)]


def _label_problems(rendered: str | None, labels: list[str]) -> list[tuple[str, str]]:
    try:
        shown = json.loads(rendered or "")
    except (ValueError, RecursionError):
        shown = None
    if not isinstance(shown, list) or not shown or not all(isinstance(label, str) for label in shown):
        rule = f'<{_ELEMENT}> must have labels="{{{{ task.input.labels | to_json | escape }}}}"'
        return [(rule, f"it renders as {str(rendered)[:60]!r}")]
    unknown = [label for label in shown if label not in labels]
    return [("the template must offer the category file's labels only", repr(unknown[0]))] if unknown else []
