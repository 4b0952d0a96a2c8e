"""The worker template: rendered, and searched for the elements that a task needs.

What a condition or a loop shows depends on the object, so a page is rendered twice: with the first branch of
each, and with the last. What neither page has is missing; what one of them lacks may be.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

from ..limits import TASK_TYPE, TEMPLATE_CHARACTERS_MAX
from .findings import Findings
from .liquid import READABLE, LiquidError, render

CHECK = "template"
_FORM = "crowd-form"
_SCRIPT = "crowd-html-elements.js"
_S3_URI = re.compile(r"""s3://[^"'\s]+""")
_ANY_IMAGE = "s3://bucket/image.jpg"
_ANY_LABELS = ["label"]


@dataclass(frozen=True, kw_only=True)
class _Widget:
    """The element whose answer a task type collects (the guide's pages on the two crowd elements)."""

    tag: str
    choices: str
    without_header: str
    #: The attribute in which an earlier label comes; empty where there is none.
    prior: str = ""
    #: Whether the element makes no sense without it.
    needs_prior: bool = False


_SEGMENTATION = _Widget(
    tag="crowd-semantic-segmentation",
    choices="labels",
    without_header="without it there is no auto-segmentation",
)
_ADJUSTMENT = replace(_SEGMENTATION, prior="initial-value", needs_prior=True)
_CLASSIFIER = _Widget(
    tag="crowd-image-classifier",
    choices="categories",
    without_header="the element requires it",
    prior="overlay",
)
_WIDGETS = {f"Adjustment{TASK_TYPE}": _ADJUSTMENT, f"Verification{TASK_TYPE}": _CLASSIFIER}


def check(
    data: bytes,
    first: Mapping[str, Any],
    labels: list[str] | None,
    findings: Findings,
    *,
    task_type: str = TASK_TYPE,
) -> None:
    """Render a template for the first object, and check its elements.

    Args:
        data: the template.
        first: the first line of the manifest; empty where there is none yet.
        labels: the job's; None where they can't be known.
        findings: gets what is wrong.
        task_type: as in the names of the service's functions.
    """
    widget = _WIDGETS.get(task_type, _SEGMENTATION)
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
    except LiquidError as error:
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
    shows_label = any(page.elements and widget.prior in page.elements[0] for page in pages)
    if widget.prior and not widget.needs_prior and not any(found) and not shows_label:
        findings.warn(CHECK, f"<{widget.tag}> should have {widget.prior}: without it workers see no label")


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
    if element.get("src") != READABLE:
        rule = f'<{widget.tag}> must have src="{{{{ task.input.taskObject | grant_read_access }}}}"'
        yield rule, f"it renders as {element.get('src')!r}"
    yield from _of_prior(element, widget)
    shown = _list(element.get(widget.choices) or "")
    if not isinstance(shown, list) or not shown or not all(isinstance(label, str) for label in shown):
        rule = f'<{widget.tag}> must have {widget.choices}="{{{{ task.input.labels | to_json | escape }}}}"'
        yield rule, f"it renders as {str(element.get(widget.choices))[:60]!r}"
    elif unknown := [label for label in shown if label not in labels]:
        yield "the template must offer the category file's labels only", repr(unknown[0])


def _of_prior(element: Mapping[str, str | None], widget: _Widget) -> Iterator[tuple[str, str]]:
    # What variables make of its value isn't known here, so that it is there has to do.
    if widget.needs_prior and widget.prior not in element:
        rule = f"<{widget.tag}> must have {widget.prior}, from which workers start"
        yield f"{rule}; without it they paint all anew", ""
    if found := _S3_URI.search(element.get(widget.prior) or ""):
        yield f"the mask in {widget.prior} must go through grant_read_access", repr(found[0])


def _list(text: str) -> object:
    """A JSON list, or one in single quotes, as in the guide's own sample."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None
