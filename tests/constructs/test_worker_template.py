"""The lint of a template of one's own: one broken rule at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stack

from cdk_ground_truth import Instructions, SemanticSegmentationLabelingJob, WorkerTemplate
from cdk_ground_truth._rooms import findings
from cdk_ground_truth.instructions import render
from cdk_ground_truth.validation import Checker
from tests.constructs.conftest import Synthesized

CHECK = Checker("Test/Job")
GOOD = render(CHECK, Instructions(header="Paint")).decode()

BROKEN = {
    "no script": (("crowd-html-elements.js", "other.js"), "must load the crowd elements; add <script"),
    "no form": (("crowd-form", "div"), "must have one <crowd-form>: 0"),
    "two forms": (("</crowd-form>", "</crowd-form><crowd-form></crowd-form>"), "one <crowd-form>: 2"),
    "form before": (("<crowd-form>", "<crowd-form></crowd-form>"), "must be inside of <crowd-form>"),
    "no element": (("crowd-semantic-segmentation", "crowd-bounding-box"), "have one <crowd-semantic-segm"),
    "no name": (('name="crowd-semantic-segmentation"', ""), "must have a name"),
    "plain src": (("task.input.taskObject | grant_read_access", "task.input.taskObject"), "must have src="),
    "no src": (('src="{{ task.input.taskObject | grant_read_access }}"', ""), "it renders as None"),
    "labels as they are": (("| to_json | escape", ""), "must have labels="),
    "labels pasted in": (("{{ task.input.labels | to_json | escape }}", "['a']"), "labels only: 'a'"),
    "unknown filter": (("to_json", "to_jsn"), "line 7: there is no filter 'to_jsn'"),
    "open condition": (("<crowd-form>", "<crowd-form>{% if a %}"), "{% if %} is not closed"),
}
TAKEN = {
    "an index": ("task.input.labels", "task.input['labels']"),
    "a comment": (
        "<crowd-form>",
        "{% comment %}<crowd-form> {{ x | y }} {% if %}{% endcomment %}<crowd-form>",
    ),
    "raw": ("<crowd-form>", "<crowd-form><p>{% raw %}{{ a | no_filter }} {% if %}{% endraw %}</p>"),
    "two pages": ("<crowd-form>", "{% if task.input.x %}<crowd-form>{% else %}<crowd-form>{% endif %}"),
    "the guide's quotes": ("{{ task.input.labels | to_json | escape }}", "['road', 'sky']"),
}


def lint(tmp_path, text: str, found=None) -> bytes:
    path = tmp_path / "mine.html"
    path.write_text(text)
    return WorkerTemplate.from_file(path).read(CHECK, ["road", "sky"], found or findings.Findings())


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_names_file_rule_and_value(tmp_path: Path, change, message) -> None:
    assert change[0] in GOOD
    with pytest.raises(ValueError, match=r"^Test/Job: 'worker_template' breaks rules") as raised:
        lint(tmp_path, GOOD.replace(*change))
    assert message in str(raised.value) and "ERROR template" in str(raised.value)
    assert f"in {tmp_path / 'mine.html'}" in str(raised.value)


def test_two_elements(tmp_path: Path) -> None:
    element = GOOD[GOOD.index("  <crowd-semantic") : GOOD.index("</crowd-form>")]
    with pytest.raises(ValueError, match="must have one <crowd-semantic-segmentation>: 2"):
        lint(tmp_path, GOOD.replace("</crowd-form>", element + "</crowd-form>"))


@pytest.mark.parametrize("change", TAKEN.values(), ids=TAKEN)
def test_what_looks_odd_and_is_right(tmp_path: Path, change) -> None:
    assert change[0] in GOOD
    found = findings.Findings()
    assert lint(tmp_path, GOOD.replace(*change), found)
    assert found.groups() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('header="Paint"', ""), "should have a header"),
        (('src="{{', 'src="{% if task.input.x %}{{'), "as a condition or loop decides it: <crowd-semantic"),
    ],
)
def test_what_cant_be_known_before_is_a_warning(tmp_path: Path, change, words: str) -> None:
    text = GOOD.replace(*change)
    if "if" in change[1]:
        text = text.replace("grant_read_access }}", "grant_read_access }}{% endif %}")
    found = findings.Findings()
    assert lint(tmp_path, text, found)
    assert words in found.message("", "") and not found.errors()


def test_what_is_never_closed_is_looked_for_once(tmp_path: Path) -> None:
    for text in (
        "{{" * 60_000,
        "{% comment %}" * 9_000,
        "{% raw %}" * 14_000,
        "<!--" * 30_000,
        "<a " * 40_000,
    ):
        with pytest.raises(ValueError, match="ERROR template"):
            lint(tmp_path, text)


@pytest.mark.parametrize(
    ("spaced", "plain"),
    [
        ("{{task.input.taskObject|grant_read_access}}", "{{ task.input.taskObject | grant_read_access }}"),
        ("{{-  task.input.labels  |to_json|  escape -}}", "{{ task.input.labels | to_json | escape }}"),
    ],
)
def test_liquid_in_any_spacing(tmp_path: Path, spaced: str, plain: str) -> None:
    assert lint(tmp_path, GOOD.replace(plain, spaced))


def test_more_markup_around_is_fine(tmp_path: Path) -> None:
    assert lint(
        tmp_path, GOOD.replace("<crowd-form>", "<style>p {color: red}</style>\n<crowd-form>\n<p>Hi</p>")
    )


def test_what_is_no_template_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'worker_template' must be an existing file"):
        WorkerTemplate.from_file(tmp_path).read(CHECK, ["road"], findings.Findings())
    for text in ("", GOOD + " " * 128_000):
        with pytest.raises(ValueError, match="must have 1 to 128,000 characters"):
            lint(tmp_path, text)
    (tmp_path / "latin.html").write_bytes(b"\xe9")
    with pytest.raises(ValueError, match="must be UTF-8"):
        WorkerTemplate.from_file(tmp_path / "latin.html").read(CHECK, ["road"], findings.Findings())


def test_it_is_what_the_job_publishes(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.html"
    path.write_text(GOOD)
    add_job(stack, worker_template=WorkerTemplate.from_file(path))
    template = synth(stack)
    (asset,) = template.directory.glob("asset.*.html")
    assert asset.read_text() == GOOD
    uri = template.delivered()["Request"]["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"]
    assert uri.endswith("/" + asset.name.removeprefix("asset."))
