"""The lint of a template of one's own: one broken rule at a time."""

from __future__ import annotations

import pytest

from cdk_ground_truth import Instructions, WorkerTemplate
from cdk_ground_truth.instructions import render
from cdk_ground_truth.validation import Checker

CHECK = Checker("Test/Job")
GOOD = render(CHECK, Instructions(header="Paint")).decode()

BROKEN = {
    "no script": (("crowd-html-elements.js", "other.js"), r"script' must load the crowd elements"),
    "no form": (("crowd-form", "div"), r":3: element' must be inside <crowd-form>"),
    "no element": (("crowd-semantic-segmentation", "crowd-bounding-box"), "contain one <crowd-semantic-segm"),
    "no name": (('name="crowd-semantic-segmentation"', ""), r":3: name' must be set"),
    "plain src": (("task.input.taskObject | grant_read_access", "task.input.taskObject"), "src' must let"),
    "no src": (('src="{{ task.input.taskObject | grant_read_access }}"', ""), "src' must let the browser"),
    "labels unescaped": (("| to_json | escape", "| to_json"), "labels' must come from the job's own"),
    "labels pasted in": (("{{ task.input.labels | to_json | escape }}", "['a']"), r"got \"\['a'\]\"; write"),
    "no header": (('header="Paint"', ""), "header' must be set"),
}


def lint(tmp_path, text: str) -> bytes:
    path = tmp_path / "mine.html"
    path.write_text(text)
    return WorkerTemplate.from_file(path).read(CHECK)


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_names_file_rule_value_and_fix(tmp_path, change, message):
    assert change[0] in GOOD
    with pytest.raises(ValueError, match=message) as raised:
        lint(tmp_path, GOOD.replace(*change))
    assert str(raised.value).startswith(f"Test/Job: 'worker_template: {tmp_path / 'mine.html'}:")
    assert ", got " in str(raised.value) and "; " in str(raised.value)


def test_two_elements(tmp_path):
    element = GOOD[GOOD.index("  <crowd-semantic") : GOOD.index("</crowd-form>")]
    with pytest.raises(ValueError, match=r":\d\d: element' must be the only one"):
        lint(tmp_path, GOOD.replace("</crowd-form>", element + "</crowd-form>"))


def test_an_element_after_its_form(tmp_path):
    closed = GOOD.replace("<crowd-form>", "<crowd-form></crowd-form>")
    with pytest.raises(ValueError, match="be inside <crowd-form>"):
        lint(tmp_path, closed)


def test_two_forms(tmp_path):
    with pytest.raises(ValueError, match="form' must contain one <crowd-form>, got 2"):
        lint(tmp_path, GOOD + "<crowd-form></crowd-form>")


@pytest.mark.parametrize(
    ("spaced", "plain"),
    [
        ("{{task.input.taskObject|grant_read_access}}", "{{ task.input.taskObject | grant_read_access }}"),
        ("{{-  task.input.labels  |to_json|  escape -}}", "{{ task.input.labels | to_json | escape }}"),
    ],
)
def test_liquid_in_any_spacing(tmp_path, spaced, plain):
    assert lint(tmp_path, GOOD.replace(plain, spaced))


def test_more_markup_around_is_fine(tmp_path):
    assert lint(
        tmp_path, GOOD.replace("<crowd-form>", "<style>p {color: red}</style>\n<crowd-form>\n<p>Hi</p>")
    )


def test_what_is_no_template_file(tmp_path):
    with pytest.raises(ValueError, match="'worker_template' must be an existing file"):
        WorkerTemplate.from_file(tmp_path).read(CHECK)
    with pytest.raises(ValueError, match="have 1 to 128,000 characters"):
        lint(tmp_path, "")
    with pytest.raises(ValueError, match="have 1 to 128,000 characters"):
        lint(tmp_path, GOOD + " " * 128_000)
    (tmp_path / "latin.html").write_bytes(b"\xe9")
    with pytest.raises(ValueError, match="be in UTF-8"):
        WorkerTemplate.from_file(tmp_path / "latin.html").read(CHECK)


def test_it_is_what_the_job_publishes(stack, add_job, synth, tmp_path):
    path = tmp_path / "mine.html"
    path.write_text(GOOD)
    add_job(stack, worker_template=WorkerTemplate.from_file(path))
    template = synth(stack)
    (asset,) = template.directory.glob("asset.*.html")
    assert asset.read_text() == GOOD
    uri = template.delivered()["Request"]["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"]
    assert uri.endswith("/" + asset.name.removeprefix("asset."))
