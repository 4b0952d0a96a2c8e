"""One person verifies a label with a comment, another adjusts it: with the library's own worker templates."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.local.portal.test_accessible import violations
from tests.local.portal.workshop import MEMBERS

pytestmark = pytest.mark.xdist_group("portal")

ROOT = Path(__file__).parents[3]
ODD = 'O\'Brien "x" </script> é'
CLASSES = {"cup": "#0b84a5", ODD: "#f6c85f"}
VERDICTS = ("right", f"wrong: {ODD}")


def own_template(kind, prior):
    """The library's worker template, filled in as for a job whose earlier labels have this name."""
    text = (ROOT / "assets" / f"{kind}-template.html").read_text()
    words = {
        "PRIOR": prior,
        "HEADER": "Is the cup painted?",
        "FULL_HEADER": "How",
        "FULL": "",
        "SHORT": "Look.",
    }
    for name, value in words.items():
        text = text.replace(f"@@{name}@@", value)
    return text


@pytest.fixture
def line(workshop):
    """A line with a mask in which the cup is found in the wrong place."""
    photograph, mask = io.BytesIO(), io.BytesIO()
    pixels = data.coffee()
    Image.fromarray(pixels).save(photograph, "JPEG", quality=92)
    painted = np.full(pixels.shape, 255, dtype=np.uint8)
    painted[60:240, 190:400] = (0x0B, 0x84, 0xA5)
    painted[300:380, 90:300] = (0xF6, 0xC8, 0x5F)
    Image.fromarray(painted).save(mask, "PNG")
    names = {"BACKGROUND": "#ffffff"} | CLASSES
    colors = {
        str(at): {"class-name": name, "hex-color": color, "confidence": 0.9}
        for at, (name, color) in enumerate(names.items())
    }
    return {
        "source-ref": workshop.put("verified/coffee.jpg", photograph.getvalue()),
        "cups-ref": workshop.put("verified/mask.png", mask.getvalue()),
        "cups-ref-metadata": {"internal-color-map": colors, "type": "groundtruth/semantic-segmentation"},
    }


def _verify(workshop, line):
    return workshop.create(
        own_template("verification", "cups-ref"), lines=[line], labels=VERDICTS, kind="Verification"
    )


def test_a_person_verifies_with_a_comment_and_another_adjusts_what_is_there(
    person, workshop, line, keep
) -> None:
    name = _verify(workshop, line)
    ada = person().start(name)
    ada.frame.locator("crowd-image-classifier[data-state=ready]").wait_for()
    # Without an answer nothing is sent.
    ada.frame.get_by_role("button", name="Submit", exact=True).click()
    complaint = ada.frame.get_by_text("Please choose one of the answers.")
    complaint.wait_for()
    ada.frame.get_by_label(VERDICTS[1]).check()
    complaint.wait_for(state="hidden")
    ada.frame.get_by_text("Write a comment").click()
    ada.frame.get_by_role("textbox").fill(f"The saucer is missing. {ODD}")
    shown = ada.frame.locator("canvas.mask").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(200, 100, 1, 1).data,"
        " ...canvas.getContext('2d').getImageData(5, 5, 1, 1).data]"
    )
    assert (abs(np.array(shown[:3]) - (0x0B, 0x84, 0xA5)).max() <= 2, shown[3] > 100, shown[7]) == (
        True,
        True,
        0,
    )
    found = violations(next(one for one in ada.page.frames if one.url.endswith("/frame")))
    keep(ada.page, "portal-verify")
    ada.submit()
    [verified] = workshop.labeled(name)
    metadata = verified[f"{name}-checked-metadata"]
    assert (verified[f"{name}-checked"], metadata["class-name"]) == ("1", VERDICTS[1])
    assert metadata["worker-feedback"] == [{"comment": f"The saucer is missing. {ODD}"}]
    assert {key: verified[key] for key in line} == line

    fix = workshop.create(
        own_template("adjustment", "cups-ref"), lines=[verified], labels=tuple(CLASSES), kind="Adjustment"
    )
    grace = person(MEMBERS[1]).start(fix)
    painter = grace.painter()
    # The mask is there before anything is painted.
    assert set(np.unique(painter.mask()[60:240, 190:400])) == {1}
    assert set(np.unique(painter.mask()[300:380, 90:300])) == {2}
    keep(grace.page, "portal-adjust")
    painter.tool("eraser")
    painter.drag((200, 100), (300, 200))
    grace.submit()
    [adjusted] = workshop.labeled(fix)
    assert adjusted[f"{fix}-ref-metadata"]["adjustment-status"] == "adjusted"
    assert {key: adjusted[key] for key in verified} == verified
    assert found == []


def test_an_earlier_mask_that_is_gone_is_told_and_nothing_can_be_sent(person, workshop, line) -> None:
    gone = line | {"cups-ref": line["cups-ref"].replace("mask.png", "gone.png")}
    name = _verify(workshop, gone)
    ada = person().start(name)
    ada.frame.get_by_role("alert").get_by_text("The picture can't be shown").wait_for()
    ada.frame.get_by_role("button", name="Submit", exact=True).click()
    ada.frame.get_by_text("Please choose one of the answers.").wait_for()
    workshop.stop(name)


def test_a_mask_of_another_colour_is_told(person, workshop, line) -> None:
    colors = json.loads(json.dumps(line["cups-ref-metadata"]))
    colors["internal-color-map"].pop("2")
    name = _verify(workshop, line | {"cups-ref-metadata": colors})
    ada = person().start(name)
    ada.frame.get_by_text("have a colour that its labelMappings lack").wait_for()
    workshop.stop(name)
