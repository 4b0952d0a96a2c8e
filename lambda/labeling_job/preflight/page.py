"""The two files that the worker's page is made of: the label category file and the worker template.

The template is rendered for the first object, and searched for the elements that a task needs. A small part
of Liquid is enough for that: outputs of ``task.input``, filters by name, tags by their pairing.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final

from ..limits import AUTOMATED_LABELING_LABELS_MAX, CATEGORY_DOCUMENT_VERSION, LABEL_NAME_MAX
from ..rules.findings import Findings
from ..rules.places import Place, place_of
from .access import Reader, ReadError
from .plan import Plan

FILE_BYTES_MAX: Final = 10 * 1024 * 1024
_CATEGORIES = "category-file"
_TEMPLATE = "template"
_BACKGROUND = "BACKGROUND"
_ELEMENT = "crowd-semantic-segmentation"
_IMAGE_URL = "https://image.invalid/of-the-first-object"

_ANY_IMAGE = "s3://bucket/image.jpg"
_ANY_LABELS = ["label"]

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


def read_categories(reader: Reader, plan: Plan, findings: Findings) -> list[str] | None:
    """The labels of the job's category file; None if they can't be known."""
    data = _file(reader, plan.categories, _CATEGORIES, "the label category file", findings)
    return None if data is None else parse_categories(data, findings, automated=plan.automated)


def parse_categories(data: bytes, findings: Findings, *, automated: bool) -> list[str] | None:
    """The labels in the file's order; None if it isn't of the form that the service needs."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        findings.error(_CATEGORIES, "the label category file must be JSON in UTF-8", error)
        return None
    if not isinstance(document, dict):
        findings.error(
            _CATEGORIES, "the label category file must hold a JSON object", type(document).__name__
        )
        return None
    version = document.get("document-version")
    if version != CATEGORY_DOCUMENT_VERSION:
        rule = f'the label category file must have "document-version": "{CATEGORY_DOCUMENT_VERSION}"'
        findings.error(_CATEGORIES, rule, repr(version)[:60])
    labels = document.get("labels")
    if not isinstance(labels, list) or not labels:
        findings.error(_CATEGORIES, 'the label category file must list at least one label in "labels"')
        return None
    names = [entry.get("label") if isinstance(entry, dict) else None for entry in labels]
    for rule, got in _label_name_problems(labels, names, automated):
        findings.error(_CATEGORIES, rule, got)
    return [name for name in names if isinstance(name, str)]


def check_classes(labels: Iterable[str], classes: Iterable[str], findings: Findings) -> None:
    """Adjustment and verification: a class of the earlier labels that has no label can't be shown."""
    lost = sorted(set(classes) - {*labels, _BACKGROUND})
    if lost:
        rule = "the label category file must have all labels of the earlier job; add them"
        findings.error("prior-labels", rule, ", ".join(map(repr, lost)))


def _label_name_problems(
    labels: list[object], names: list[object], automated: bool
) -> Iterator[tuple[str, str]]:
    for entry, name in zip(labels, names, strict=True):
        if not isinstance(name, str) or not name:
            yield 'each label must be {"label": "its name"}', repr(entry)[:60]
        elif len(name) > LABEL_NAME_MAX:
            yield f"a label must have at most {LABEL_NAME_MAX} characters", f"{name[:40]!r}… has {len(name)}"
        elif name.upper() == _BACKGROUND:
            yield "a label must not be BACKGROUND, which the service writes for unpainted pixels", repr(name)
    texts = [name for name in names if isinstance(name, str)]
    if len(set(texts)) < len(texts):
        seen: set[str] = set()
        twice = next(name for name in texts if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        yield "labels must be unique", repr(twice)
    if automated and len(names) > AUTOMATED_LABELING_LABELS_MAX:
        yield f"automated labeling takes at most {AUTOMATED_LABELING_LABELS_MAX} labels", str(len(names))


def check_template(
    reader: Reader, plan: Plan, first: Mapping[str, Any], labels: list[str] | None, findings: Findings
) -> None:
    """Read the job's template, render it for the first object and check its elements."""
    data = _file(reader, plan.template, _TEMPLATE, "the worker template", findings)
    if data is None:
        return
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        findings.error(_TEMPLATE, "the worker template must be UTF-8", str(error))
        return
    for rule, got in problems(source, first, labels):
        findings.error(_TEMPLATE, rule, got)


def _file(reader: Reader, place: Place | None, check: str, what: str, findings: Findings) -> bytes | None:
    if place is None:
        findings.error(check, f"{what} must be an object's S3 URI, s3://bucket/key")
        return None
    try:
        return reader.whole(place, limit=FILE_BYTES_MAX)
    except ReadError as error:
        findings.error(check, f"{what} must be readable", f"{place} ({error})")
        return None


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
