"""What a job reads: manifest, label category file, worker template."""

from __future__ import annotations

import io
import json

import pytest

from ground_truth_local.service import template
from ground_truth_local.service.categories import parse_categories
from ground_truth_local.service.errors import JobFailure
from ground_truth_local.service.manifest import parse_manifest
from ground_truth_local.service.rules import S3Location, parse_s3_uri
from tests.local.service.conftest import Tools

HERE = S3Location("b", "file")
GOOD = '{"source-ref": "s3://bucket/key"}'


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return [line for line, _ in parse_manifest(io.BytesIO(data), HERE, 20_000)]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("between", ["\n", "\r\n"])
def test_lines_end_in_either_way(between: str, end: str) -> None:
    assert read(GOOD + between + GOOD + end) == [GOOD, GOOD]


def test_a_line_may_have_the_longest_attributes() -> None:
    line = json.dumps(
        {"source-ref": "s3://b/k"} | {f"a{number}": "ü" * 20_000 for number in range(4)}, ensure_ascii=False
    )
    assert read(line) == [line]


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "empty": ("", "no data objects"),
        "blank line": (GOOD + "\n\n" + GOOD, "line 2 .* not valid JSON"),
        "an array": ("[]", "not a JSON object"),
        "not UTF-8": (b'{"source-ref": "s3://b/\xff"}', "not UTF-8"),
        "dollar": ('{"source-ref": "s3://b/k", "$x": 1}', "must not start with"),
        "source": ('{"source": "text"}', "use 'source-ref'"),
        "number": ('{"source-ref": 5}', "has no 'source-ref'"),
        "no key": ('{"source-ref": "s3://bucket"}', "must be 's3://bucket/key'"),
        "https": ('{"source-ref": "https://b/k"}', "must be 's3://bucket/key'"),
        "long attribute": (
            json.dumps({"source-ref": "s3://b/k", "a": "x" * 20_001}),
            "more than 20000 characters",
        ),
        "long line": (
            json.dumps({"source-ref": "s3://b/k"} | {f"a{n}": "x" * 19_000 for n in range(6)}),
            "100000",
        ),
        "one endless line": ("x" * 3_000_000, "more than 100000 characters"),
        "too many": ((GOOD + "\n") * 20_001, "more than 20000 data objects"),
        "deep": ("[" * 100_000, "not valid JSON"),
    }.values(),
)
def test_a_broken_manifest_is_refused_by_line(text, message) -> None:
    with pytest.raises(JobFailure, match=message):
        read(text)


def test_twenty_thousand_objects_are_allowed() -> None:
    assert len(read((GOOD + "\n") * 20_000)) == 20_000


def test_keys_are_taken_as_they_are() -> None:
    assert parse_s3_uri("s3://b/a b/100%/ü+?#.png") == S3Location("b", "a b/100%/ü+?#.png")


def categories(**changes):
    return json.dumps(
        {"document-version": "2018-11-28", "labels": [{"label": "a"}, {"label": "b"}]} | changes
    ).encode()


def test_labels_keep_their_order() -> None:
    assert parse_categories(categories(), HERE, automated=False) == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "message"),
    {
        "no JSON": (b"{", "not valid JSON"),
        "an array": (b"[]", "not a JSON object"),
        "version": (
            categories(**{"document-version": "2018-11-29"}),
            'document-version.*it has "2018-11-29"',
        ),
        "no labels": (categories(labels=[]), "at least one label"),
        "strings": (categories(labels=["a"]), "of the form"),
        "twice": (categories(labels=[{"label": "a"}, {"label": "a"}]), '"a" more than once'),
        "long": (categories(labels=[{"label": "x" * 257}]), "more than 256 characters"),
    }.values(),
)
def test_a_broken_category_file_is_refused_by_name(data, message) -> None:
    with pytest.raises(JobFailure, match=message):
        parse_categories(data, HERE, automated=False)


def test_automated_labeling_takes_twenty_labels() -> None:
    many = categories(labels=[{"label": str(number)} for number in range(21)])
    assert len(parse_categories(many, HERE, automated=False)) == 21
    with pytest.raises(JobFailure, match="at most 20"):
        parse_categories(many, HERE, automated=True)


INPUT = {"taskObject": "s3://b/k.png", "labels": ["it's", 'a "b"', "<x>"]}


def check(source):
    return template.check_template(source, task_input=INPUT, labels=INPUT["labels"])


def test_the_guides_template_is_fine(tools: type[Tools]) -> None:
    assert check(tools.TEMPLATE) == "crowd-semantic-segmentation"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    {
        "no form": ("crowd-form", "form", "one <crowd-form>, it has 0"),
        "other element": (
            "<crowd-semantic-segmentation",
            "<crowd-bounding-box",
            "one <crowd-semantic-segmentation>",
        ),
        "no name": ('name="crowd-semantic-segmentation"', "", "a name"),
        "no access": (" | grant_read_access", "", "grant_read_access"),
        "wrong variable": ("task.input.taskObject", "task.input.image", 'renders as ""'),
        "labels not as JSON": (" | to_json | escape", "", "to_json"),
        "unknown label": ("{{ task.input.labels | to_json | escape }}", "x", "labels="),
        "foreign label": (
            "{{ task.input.labels | to_json | escape }}",
            "[&quot;x&quot;]",
            'offers the label "x"',
        ),
        "unknown filter": ("grant_read_access", "grant_access", "can't be rendered: unknown filter"),
        "open tag": ("grant_read_access }}", "grant_read_access", "can't be rendered"),
        "endless": ("<script", "{% for i in (1..99999999) %}x{% endfor %}<script", "can't be rendered"),
    }.values(),
)
def test_a_broken_template_is_refused_by_name(tools: type[Tools], old, new, message) -> None:
    with pytest.raises(JobFailure, match=message):
        check(tools.TEMPLATE.replace(old, new))


def test_an_element_outside_the_form_is_refused(tools: type[Tools]) -> None:
    moved = tools.TEMPLATE.replace("<crowd-form>", "<crowd-form></crowd-form>").removesuffix("</crowd-form>")
    with pytest.raises(JobFailure, match="inside the <crowd-form>"):
        check(moved)


def test_values_are_escaped_unless_told_otherwise() -> None:
    def render(source):
        return template.render(
            source, task_input={"x": "<b>&"}, presign=lambda location: f"http://h/{location.key}"
        )

    assert render("{{ task.input.x }}") == "&lt;b&gt;&amp;"
    assert render("{{ task.input.x | escape }}") == "&lt;b&gt;&amp;"
    assert render("{{ task.input.x | skip_autoescape }}") == "<b>&"
    assert render("{{ 's3://b/k' | grant_read_access }}") == "http://h/k"
