"""Worker templates of several public styles: rendered as the service would, and worked with."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.local.portal.painter import decode
from tests.local.portal.workshop import CORS, SEED, picture

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
SINGLE_QUOTES = f"""{SCRIPT}
<crowd-form>
  <crowd-semantic-segmentation name='segmentation'
    src='{{{{ task.input.taskObject | grant_read_access }}}}'
    header='Find the "cats" &amp; dogs'
    labels='{{{{ task.input.labels | to_json | escape }}}}'>
    <full-instructions header='How'>Paint.</full-instructions>
    <short-instructions>Paint all.</short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>"""
LITERAL = f"""{SCRIPT}

<crowd-form>
  <crowd-semantic-segmentation
    name="annotatedResult"
    src="{{{{ task.input.taskObject | grant_read_access }}}}"
    header="Please label each of the requested objects in this image"
    labels="['cat', 'dog']"
  >
    <full-instructions header="Segmentation Instructions"><ol><li>Read.</li></ol></full-instructions>
    <short-instructions><p>Use the tools to label the requested items in the image</p></short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>"""
SURROUNDED = f"""{SCRIPT}
<crowd-form>
  <crowd-instructions link-text="Help"><p>Some help.</p></crowd-instructions>
  <crowd-card><crowd-alert type="info">Look closely.</crowd-alert></crowd-card>
  <crowd-semantic-segmentation name="mask" src="{{{{ task.input.taskObject | grant_read_access }}}}"
    header="Paint" labels="{{{{ task.input.labels | to_json | escape }}}}">
    <full-instructions header="How">Paint.</full-instructions>
    <short-instructions>Paint all.</short-instructions>
  </crowd-semantic-segmentation>
  <crowd-input name="remark" label="Remark" required></crowd-input>
  <crowd-checkbox name="hard">It was hard</crowd-checkbox>
  <input type="hidden" name="picture" value="{{{{ task.input.taskObject }}}}">
  <crowd-button form-action="submit" variant="primary">Send it</crowd-button>
</crowd-form>"""
WHOLE_DOCUMENT = f"""<!DOCTYPE html>
<html lang="en">
<head><title>Task</title>{SCRIPT}<style>body {{ color: #123; }}</style></head>
<body>
<crowd-form id="form">
  <crowd-semantic-segmentation name="mask" src="{{{{ task.input.taskObject | grant_read_access }}}}"
    header="{{% if task.input.labels.size > 1 %}}Several{{% else %}}One{{% endif %}}"
    labels="{{{{ task.input.labels | to_json | escape }}}}">
    <short-instructions>
      <ul>{{% for label in task.input.labels %}}<li>{{{{ label }}}}</li>{{% endfor %}}</ul>
    </short-instructions>
    <full-instructions header="How">Paint.</full-instructions>
  </crowd-semantic-segmentation>
</crowd-form>
<script>
  const labels = {{{{ task.input.labels | to_json | skip_autoescape }}}};
  document.querySelector("crowd-form").onsubmit = function () {{
    const field = document.createElement("input");
    field.type = "hidden"; field.name = "count"; field.value = labels.length;
    this.append(field);
  }};
</script>
</body></html>"""


def check_round(person, workshop, name, *, element, labels=("cat", "dog")):
    """Paint in a job's task, submit, and compare the label with what the canvas held."""
    painter = person.painter()
    painter.size(15)
    painter.drag((20, 20), (60, 40))
    painter.key("2")
    painter.drag((90, 60), (100, 20))
    mask = painter.mask()
    assert set(np.unique(mask)) == {0, 1, 2}
    person.submit()
    [line] = workshop.labeled(name)
    response = worker_response(workshop, name)
    answer = response["answers"][0]["answerContent"]
    assert (decode(answer[element], labels) == mask).all()
    return line, answer


def worker_response(workshop, name):
    prefix = f"labels/{name}/annotations/worker-response/"
    [key] = [
        entry["Key"] for entry in workshop.s3.list_objects_v2(Bucket="pictures", Prefix=prefix)["Contents"]
    ]
    return json.loads(workshop.get(f"s3://pictures/{key}"))


def test_the_seeds_own_template(person, workshop) -> None:
    name = workshop.create(SEED.replace("Please segment out all pedestrians.", "Cats &amp; dogs"))
    ada = person().start(name)
    ada.painter()
    assert ada.frame.get_by_role("heading", name="Cats & dogs").is_visible()
    assert ada.frame.get_by_role("heading", name="Good example").is_visible()
    assert ada.frame.get_by_role("radio", name="Auto-segment").is_visible()
    check_round(ada, workshop, name, element="crowd-semantic-segmentation")


@pytest.mark.parametrize(
    ("template", "element", "heading"),
    [
        (SINGLE_QUOTES, "segmentation", 'Find the "cats" & dogs'),
        (LITERAL, "annotatedResult", "Please label each of the requested objects in this image"),
    ],
    ids=["single quotes", "labels as literal"],
)
def test_other_ways_to_write_it(person, workshop, template, element: str, heading: str) -> None:
    name = workshop.create(template)
    ada = person().start(name)
    ada.painter()
    assert ada.frame.get_by_role("heading", name=heading).is_visible()
    check_round(ada, workshop, name, element=element)


def test_other_elements_around(person, workshop) -> None:
    name = workshop.create(SURROUNDED)
    ada = person().start(name)
    ada.painter().drag((10, 10), (20, 20))
    ada.frame.get_by_role("button", name="Send it").click()
    assert ada.frame.get_by_text("Please fill in").is_visible()
    ada.frame.get_by_label("Remark").fill("a 2 b")
    # Typing is no shortcut.
    assert ada.painter().widget.evaluate("e => e.editor.label") == 1
    ada.frame.get_by_label("It was hard").check()
    _, answer = check_round(ada, workshop, name, element="mask")
    assert answer["remark"] == "a 2 b"
    assert answer["hard"] is True
    assert answer["picture"] == f"s3://pictures/{name}/a.jpg"


def test_a_whole_document_with_scripts_and_liquid(person, workshop) -> None:
    labels = ("cat", "</script><b>dog")
    name = workshop.create(WHOLE_DOCUMENT, labels=labels)
    ada = person().start(name)
    ada.painter()
    assert ada.frame.get_by_role("heading", name="Several").is_visible()
    assert ada.frame.locator("li").all_text_contents() == list(labels)
    _, answer = check_round(ada, workshop, name, element="mask", labels=labels)
    assert answer["count"] == "2"


def adjustment(attribute):
    """Return the developer guide's way to start from a prior job's labels."""
    prior = f"task.input.manifestLine.{attribute}"
    initial = f"""{{
      'src' : '{{{{ {prior} | grant_read_access }}}}',
      'labelMappings': {{
        {{% for box in {prior}-metadata.internal-color-map %}}
          {{% if box[1]['class-name'] != 'BACKGROUND' %}}
            {{{{ box[1]['class-name'] | to_json }}}}: {{
              'color': {{{{ box[1]['hex-color'] | to_json }}}}
            }},
          {{% endif %}}
        {{% endfor %}}
      }}
    }}"""
    return SEED.replace("header=", f'initial-value="{initial}" header=', 1)


def test_an_adjustment_of_a_prior_jobs_labels(person, workshop) -> None:
    first = workshop.create()
    ada = person().start(first)
    line, _ = check_round(ada, workshop, first, element="crowd-semantic-segmentation")
    second = workshop.create(adjustment(f"{first}-ref"), lines=[line], kind="Adjustment")
    ada.start(second)
    painter = ada.painter()
    prior = np.asarray(Image.open(io.BytesIO(workshop.get(line[f"{first}-ref"]))).convert("RGB"))
    assert ((painter.mask() > 0) == (prior != 255).any(axis=-1)).all()
    painter.tool("eraser")
    painter.size(9)
    painter.drag((40, 10), (40, 70))
    mask = painter.mask()
    ada.submit()
    [adjusted] = workshop.labeled(second)
    assert adjusted[f"{second}-ref-metadata"]["adjustment-status"] == "adjusted"
    answer = worker_response(workshop, second)["answers"][0]["answerContent"]["crowd-semantic-segmentation"]
    assert answer["initialValueModified"] is True
    assert (decode(answer, ("cat", "dog")) == mask).all()


REFUSED_PAGES = {
    "an element that isn't here": (
        SEED.replace("</crowd-form>", '<crowd-bounding-box name="b"></crowd-bounding-box></crowd-form>'),
        "<crowd-bounding-box> is not supported by the local portal",
    ),
    "no script": (
        SEED.replace(SCRIPT, ""),
        "doesn't load its elements",
    ),
}


@pytest.mark.parametrize(("template", "message"), REFUSED_PAGES.values(), ids=REFUSED_PAGES)
def test_a_template_that_cannot_be_shown_is_refused_by_name(person, workshop, template, message) -> None:
    name = workshop.create(template)
    ada = person().start(name)
    alert = ada.frame.get_by_role("alert")
    alert.wait_for()
    assert message in alert.text_content()
    workshop.stop(name)


REFUSED_JOBS = {
    "Liquid that isn't": (
        SEED.replace("| grant_read_access }}", "| grant_read_access"),
        ["unexpected", "7:12"],
    ),
    "an unknown filter": (SEED.replace("| to_json |", "| to_yaml |"), ["to_yaml", "7:"]),
    "two elements": (SEED.replace("</crowd-form>", SEED + "</crowd-form>"), ["one <crowd-form>, it has 2"]),
}


@pytest.mark.parametrize(("template", "parts"), REFUSED_JOBS.values(), ids=REFUSED_JOBS)
def test_a_template_that_cannot_be_rendered_fails_its_job(workshop, template, parts) -> None:
    job = workshop.wait(workshop.create(template), "Failed")
    for part in parts:
        assert part in job["FailureReason"]


def test_a_bucket_that_loses_its_cors_fails_visibly(person, workshop) -> None:
    workshop.s3.create_bucket(Bucket="no-cors")
    workshop.s3.put_bucket_cors(Bucket="no-cors", CORSConfiguration={"CORSRules": [CORS]})
    workshop.s3.put_object(Bucket="no-cors", Key="a.jpg", Body=picture())
    name = workshop.create(lines=[{"source-ref": "s3://no-cors/a.jpg"}])
    workshop.wait(name, "InProgress")
    workshop.s3.delete_bucket_cors(Bucket="no-cors")
    ada = person().start(name)
    ada.painter("error")
    assert "has no CORS rule" in ada.frame.get_by_role("alert").text_content()
    workshop.stop(name)
