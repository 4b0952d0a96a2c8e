"""Worker templates for adjustment and verification as one meets them: they work, or are refused by name.

Written here in the forms of the guide's pages on the two elements, of its sample of an overlay (a comma too
many, single quotes around a JSON attribute), of notebooks (`capture`, `forloop`) and of people's own pages.
Each goes through the library's check and, in Chromium, through the worker's page.
"""

from __future__ import annotations

import pytest

from labeling_job.rules import template
from labeling_job.rules.findings import Findings
from tests.local.portal.test_verifying import CLASSES, line  # noqa: F401 - a fixture

pytestmark = pytest.mark.xdist_group("portal")

PRIOR = "cups-ref"
SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
SOURCE = "{{ task.input.taskObject | grant_read_access }}"
MASK = f'{{{{ task.input.manifestLine["{PRIOR}"] | grant_read_access }}}}'
COLORS = f'task.input.manifestLine["{PRIOR}-metadata"]["internal-color-map"]'
INSTRUCTIONS = (
    '<full-instructions header="How"><p>Look.</p></full-instructions>'
    "<short-instructions>Look.</short-instructions>"
)
# As the notebooks write it: every entry but the background, commas by hand.
LOOP = (
    f" {{% assign first = true %}}{{% for entry in {COLORS} %}}{{% assign color = entry[1] %}}"
    '{% if color["class-name"] != "BACKGROUND" %}{% unless first %},{% endunless %}{% assign first = false %}'
    '{{ color["class-name"] | to_json | escape }}: {"color": "{{ color["hex-color"] }}"}{% endif %}'
    "{% endfor %} "
)
# What is escaped where it is shown must not be escaped before.
CAPTURED_LOOP = LOOP.replace("to_json | escape", "to_json | skip_autoescape")
CAPTURED_MASK = MASK.replace("grant_read_access", "grant_read_access | skip_autoescape")
FIXED = '"cup": {"color": "#0b84a5"}, "O\'Brien \\"x\\" </script> é": {"color": "#f6c85f"}'


def verification(overlay, *, categories="{{ task.input.labels | to_json | escape }}", quote='"') -> str:
    return (
        f'{SCRIPT}<crowd-form><crowd-image-classifier name="crowd-image-classifier" src="{SOURCE}"'
        f' header="Is it right?" categories={quote}{categories}{quote} {overlay}>{INSTRUCTIONS}'
        '<worker-comment header="Why?" link-text="Say why">Say what is wrong.</worker-comment>'
        "</crowd-image-classifier></crowd-form>"
    )


def adjustment(initial) -> str:
    return (
        f'{SCRIPT}<crowd-form><crowd-semantic-segmentation name="crowd-semantic-segmentation" src="{SOURCE}"'
        ' header="Mend it." labels="{{ task.input.labels | to_json | escape }}"'
        f" {initial}>{INSTRUCTIONS}</crowd-semantic-segmentation></crowd-form>"
    )


def overlaid(mappings, *, more="", comma="") -> str:
    return (
        f'overlay=\'{{"semanticSegmentation": {{{more}"labelMappings": {{{mappings}}}, '
        f'"src": "{MASK}"{comma} }} }}\''
    )


WORKING = {
    "the guide's sample, with its comma too many": verification(
        overlaid(FIXED.replace("'", "&#39;").replace("</", "&lt;/"), more='"labels": ["cup"], ', comma=",")
    ),
    "a loop over the colour map": verification(overlaid(LOOP)),
    "categories in single quotes": verification(overlaid(LOOP), categories="['right', 'wrong']"),
    "captured, then escaped once": (
        '{% capture shown %}{"semanticSegmentation": {"src": "' + CAPTURED_MASK + '", "labelMappings": {'
        f"{CAPTURED_LOOP}}}}}}}{{% endcapture %}}" + verification('overlay="{{ shown | escape }}"')
    ),
    "no overlay": verification(""),
}

ADJUSTING = {
    "captured, then escaped once": (
        '{% capture mask %}{"src": "' + CAPTURED_MASK + '", "labelMappings": {'
        f"{CAPTURED_LOOP}}}}}{{% endcapture %}}" + adjustment('initial-value="{{ mask | escape }}"')
    ),
    "an image under another name": (
        "{% assign image = task.input.taskObject %}"
        + adjustment(f'initial-value=\'{{"src": "{MASK}", "labelMappings": {{{LOOP}}}}}\'')
    ).replace("task.input.taskObject |", "image |"),
    "single quotes": adjustment(f'initial-value=\'{{"src": "{MASK}", "labelMappings": {{{LOOP}}}}}\''),
    "labels and mappings": adjustment(
        f'initial-value=\'{{"labels": ["cup"], "labelMappings": {{{LOOP}}}, "src": "{MASK}",}}\''
    ),
}

REFUSED = {
    "no initial-value": ("Adjustment", adjustment(""), "must have initial-value, from which workers start"),
    "a mask that nobody may read": (
        "Adjustment",
        adjustment(f'initial-value=\'{{"src": "{MASK.replace(" | grant_read_access", "")}"}}\''),
        "the mask in initial-value must go through grant_read_access",
    ),
    "an overlay that nobody may read": (
        "Verification",
        verification(overlaid(LOOP).replace(" | grant_read_access", "")),
        "the mask in overlay must go through grant_read_access",
    ),
    "categories of their own": (
        "Verification",
        verification(overlaid(LOOP), categories="['good', 'bad']"),
        "the template must offer the category file's labels only",
    ),
    "radio buttons instead": (
        "Verification",
        f'{SCRIPT}<crowd-form><img src="{SOURCE}"><crowd-radio-group><crowd-radio-button name="a">a'
        "</crowd-radio-button></crowd-radio-group></crowd-form>",
        "must have one <crowd-image-classifier>",
    ),
    "the painting element in a verification": (
        "Verification",
        adjustment(""),
        "must have one <crowd-image-classifier>",
    ),
    "the choosing element in an adjustment": (
        "Adjustment",
        verification(overlaid(LOOP)),
        "must have one <crowd-semantic-segmentation>",
    ),
}


def found(kind, page, first, labels):
    findings = Findings()
    template.check(page.encode(), first, list(labels), findings, task_type=f"{kind}SemanticSegmentation")
    return findings


@pytest.mark.parametrize("name", WORKING)
def test_a_verification_works(name, workshop, person, line) -> None:  # noqa: F811
    page = WORKING[name]
    findings = found("Verification", page, line, ["right", "wrong"])
    assert not findings.errors()
    assert bool(findings.warnings()) == ("overlay" not in page)
    job = workshop.create(page, lines=[line], labels=("right", "wrong"), kind="Verification")
    ada = person().start(job)
    ada.frame.locator("crowd-image-classifier[data-state=ready]").wait_for()
    if "overlay" in page:
        shown = ada.frame.locator("canvas.mask").evaluate(
            "canvas => [...canvas.getContext('2d').getImageData(200, 100, 1, 1).data]"
        )
        assert shown[3] > 100 and abs(shown[0] - 0x0B) < 3
    ada.frame.get_by_label("wrong").check()
    ada.submit()
    [verified] = workshop.labeled(job)
    assert verified[f"{job}-checked-metadata"]["class-name"] == "wrong"


@pytest.mark.parametrize("name", ADJUSTING)
def test_an_adjustment_starts_from_the_mask(name, workshop, person, line) -> None:  # noqa: F811
    page = ADJUSTING[name]
    assert not found("Adjustment", page, line, CLASSES).errors()
    job = workshop.create(page, lines=[line], labels=tuple(CLASSES), kind="Adjustment")
    ada = person().start(job)
    mask = ada.painter().mask()
    assert set(mask[60:240, 190:400].ravel()) == {1} and set(mask[300:380, 90:300].ravel()) == {2}
    ada.submit()
    [adjusted] = workshop.labeled(job)
    assert adjusted[f"{job}-ref-metadata"]["adjustment-status"] == "unadjusted"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_by_name(name, line) -> None:  # noqa: F811
    kind, page, rule = REFUSED[name]
    labels = ["right", "wrong"] if kind == "Verification" else list(CLASSES)
    findings = found(kind, page, line, labels)
    assert any(rule in group.rule for group in findings.groups() if group.severity == "error")
