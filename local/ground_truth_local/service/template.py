"""The worker template: rendered with Liquid as the service does, and checked for the element it needs."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from liquid.exceptions import LiquidError, ResourceLimitError
from markupsafe import Markup

from ..sources import Rule, assumed, guide, holds, twin
from . import builtin
from .errors import JobFailure, shown
from .liquid_bounds import BoundedEnvironment
from .rules import S3Location, parse_s3_uri

LIQUID = Rule(
    "template-liquid", "The template is Liquid that can be rendered.", guide("sms-custom-templates-step2")
)
FILTERS = Rule(
    "template-filters",
    "Output is escaped; the filters are `grant_read_access`, `to_json`, `escape` and `skip_autoescape`.",
    guide("sms-custom-templates-step2-automate"),
)
BOUNDS = Rule(
    "template-bounds",
    "A page is rendered in 5 seconds; tags, texts and lists of a template have a largest size.",
    twin("a template must not hang or fill the server; the service's own bounds are unknown"),
)
ELEMENTS = Rule(
    "template-elements",
    "The page has one `crowd-form` with one `crowd-semantic-segmentation` with name, picture and labels.",
    guide("sms-ui-template-crowd-semantic-segmentation"),
)
CLASSIFIER_ELEMENT = Rule(
    "template-elements-verification",
    "A verification's page has one `crowd-image-classifier` instead, with name, picture and categories.",
    guide("sms-ui-template-crowd-image-classifier"),
)
UNKNOWN_LABEL = Rule(
    "template-labels",
    "The element offers no label that the category file doesn't have.",
    assumed("such an answer could not be consolidated"),
)

#: It is more than the 128,000 characters of the service model's `TemplateContent`; assumed.
MAX_TEMPLATE_BYTES = 1024 * 1024
_MAX_LITERAL = 1_000_000
_MAX_REASON = 600
_PROBE_URL = "https://presigned.invalid/picture"


@dataclass(frozen=True, kw_only=True)
class Widget:
    """The element whose answer a job collects, and where it lists what workers choose from."""

    tag: str
    choices: str
    choices_liquid: str = "{{ task.input.labels | to_json | escape }}"


PAINTING = Widget(tag="crowd-semantic-segmentation", choices="labels")
CLASSIFYING = Widget(tag="crowd-image-classifier", choices="categories")


@holds(CLASSIFIER_ELEMENT)
def widget_of(task_type: str) -> Widget:
    """Return the element that the page of a task type must have."""
    return CLASSIFYING if task_type == builtin.VERIFICATION else PAINTING


@holds(FILTERS, BOUNDS)
def render(source: str, *, task_input: dict[str, Any], presign: Callable[[S3Location], str]) -> str:
    """Return the page that a worker sees.

    The filters are those of "Adding automation with Liquid": ``grant_read_access``, ``to_json``, ``escape``
    and ``skip_autoescape``; output is escaped unless it says otherwise.

    Raises:
        JobFailure: the template is not valid Liquid, or can't be rendered; with its line.
    """
    environment = BoundedEnvironment(
        {
            "grant_read_access": lambda value, *_: _grant(value, presign),
            "to_json": lambda value, *_: _to_json(value),
            "skip_autoescape": lambda value, *_: Markup(str(value)),
        }
    )
    try:
        return environment.page(source, {"task": {"input": task_input}})
    except LiquidError as error:
        rule = BOUNDS if isinstance(error, ResourceLimitError) else LIQUID
        text = str(error)[:_MAX_REASON]
        raise JobFailure(rule, f"ClientError: The worker task template can't be rendered: {text}") from error


def _to_json(value: object) -> str:
    # In a template's <script>, with skip_autoescape, a label "</script>" would end it.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _grant(value: object, presign: Callable[[S3Location], str]) -> object:
    location = parse_s3_uri(str(value))
    return presign(location) if location is not None and location.key else value


class _Elements(HTMLParser):
    """Collects what a template's check is about."""

    def __init__(self, tag: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tag = tag
        self.forms = 0
        self.found: list[dict[str, str | None]] = []
        self.outside_form = False
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "crowd-form":
            self.forms += 1
            self._depth += 1
        if tag == self.tag:
            self.found.append(dict(attrs))
            self.outside_form |= self._depth == 0

    def handle_endtag(self, tag: str) -> None:
        if tag == "crowd-form":
            self._depth -= 1


def check_template(
    source: str, *, task_input: dict[str, Any], labels: Sequence[str], widget: Widget = PAINTING
) -> str:
    """Render a template for its first object and return the name of its element.

    Raises:
        JobFailure: the page has no ``crowd-form`` with one such element in it, or that element lacks its
            name, picture or choices ("Crowd HTML Elements").
    """
    page = _Elements(widget.tag)
    page.feed(render(source, task_input=task_input, presign=lambda _: _PROBE_URL))
    page.close()
    problem = _problem(page, widget)
    if problem:
        raise JobFailure(ELEMENTS, f"ClientError: The worker task template {problem}.")
    unknown = _unknown_label(page.found[0].get(widget.choices), labels)
    if unknown:
        raise JobFailure(
            UNKNOWN_LABEL,
            f"ClientError: The worker task template offers the label {shown(unknown)}, which the label "
            "category file doesn't have.",
        )
    return str(page.found[0]["name"])


def _problem(page: _Elements, widget: Widget) -> str | None:
    if page.forms != 1:
        return f"must have one <crowd-form>, it has {page.forms}"
    if len(page.found) != 1:
        return f"must have one <{widget.tag}>, it has {len(page.found)}"
    if page.outside_form:
        return f"must have its <{widget.tag}> inside the <crowd-form>"
    element = page.found[0]
    if not element.get("name"):
        return f"must give its <{widget.tag}> a name"
    if element.get("src") != _PROBE_URL:
        wanted = 'src="{{ task.input.taskObject | grant_read_access }}"'
        return f"must give its <{widget.tag}> {wanted}, it renders as {shown(element.get('src'))}"
    return _choices_problem(element.get(widget.choices), widget)


def _choices_problem(rendered: str | None, widget: Widget) -> str | None:
    found = _literal_list(rendered or "")
    if not isinstance(found, list) or not found or not all(isinstance(label, str) for label in found):
        wanted = f'{widget.choices}="{widget.choices_liquid}"'
        return f"must give its <{widget.tag}> {wanted}, it renders as {shown(rendered)}"
    return None


def _unknown_label(rendered: str | None, labels: Sequence[str]) -> str | None:
    found = _literal_list(rendered or "")
    assert isinstance(found, list), "checked before"
    return next((label for label in found if label not in labels), None)


def _literal_list(text: str) -> object:
    """Read a JSON list, or one in single quotes: the guide's own sample has ``labels="['Cat', 'Dog']"``."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text.strip()) if len(text) < _MAX_LITERAL else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
