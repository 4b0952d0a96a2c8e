"""axe-core finds nothing on any page; the same run takes the documentation's screenshots."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage import data

from ground_truth_local.service.masks import encode_answer
from tests.local.portal.test_console import voted  # noqa: F401
from tests.local.portal.test_portal import Client
from tests.local.portal.workshop import MEMBERS, SEED, Person

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

ROOT = Path(__file__).parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


# Where things are in scikit-image's photograph of a cup of coffee.
CUP = [(170, 110), (184, 190), (203, 250), (245, 284), (300, 290), (350, 264), (390, 205), (412, 112),
       (350, 40), (290, 22), (220, 45)]  # fmt: skip
SAUCER = [(80, 230), (110, 320), (190, 380), (290, 394), (390, 370), (460, 300), (478, 220), (440, 130)]


def coffee():
    """The photograph as a JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(data.coffee()).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def violations(frame):
    """Run axe in a page or a frame; the script comes by the debugger, which no policy of a page stops."""
    frame.evaluate(AXE.read_text())
    found = frame.evaluate("axe.run(document, { iframes: false })")
    assert found["passes"], "axe has looked at nothing"
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


def test_axe_sees_a_fault(page) -> None:
    page.set_content("<html><body><img src='x'><button></button></body></html>")
    assert any("image-alt" in one for one in violations(page))


def test_the_workers_pages(person, workshop, keep) -> None:
    labels = ("cup", "saucer", "Straßenbahnhaltestellenüberdachung")
    page_of = SEED.replace("Please segment out all pedestrians.", "Paint the cup and its saucer.")
    name = workshop.create(
        page_of.replace("Enter description to explain a correctly done segmentation", "To the edge."),
        labels=labels, pictures={"coffee.jpg": coffee()}, TaskTitle="A cup of coffee",
        TaskDescription="Paint the cup and its saucer, to the edge.",
    )  # fmt: skip
    ada = person(viewport=(834, 1112), has_touch=True).start("A cup of coffee")
    painter = ada.painter()
    painter.tool("lasso")
    painter.drag(*CUP, CUP[0], steps=3)
    frame = next(one for one in ada.page.frames if one.url.endswith("/frame"))
    found = violations(ada.page) + violations(frame)
    ada.frame.get_by_role("button", name="Lock cup").click()
    keep(ada.page, "portal-tablet")
    ada.page.set_viewport_size({"width": 1280, "height": 800})
    painter.key("2", "0")
    mouse = ada.page.mouse
    # In the middle of a lasso around the saucer, whose outline runs over the locked cup.
    for number, place in enumerate(SAUCER):
        mouse.move(*painter.at(*place), steps=4)
        if number == 0:
            mouse.down()
    keep(ada.page, "portal-lasso")
    mouse.up()
    painter.key("?")
    found += violations(frame)
    painter.key("Escape")
    ada.page.goto(f"{ada.url}/jobs")
    found += violations(ada.page)
    stranger = Person.__new__(Person)
    stranger.context = ada.context.browser.new_context()
    page = stranger.context.new_page()
    page.goto(ada.url)
    found += violations(page)
    page.goto(f"{ada.url}/console")
    found += violations(page)
    stranger.context.close()
    workshop.stop(name)
    assert found == []


@pytest.fixture
def contested(workshop):
    """Three people's masks of the photograph, who agree on the cup and less on the saucer."""
    name = workshop.create(
        labels=("cup", "saucer"), pictures={"coffee.jpg": coffee()}, NumberOfHumanWorkersPerDataObject=3
    )
    workshop.wait(name, "InProgress")
    arn = f"arn:aws:sagemaker:us-east-1:{workshop.aws.account}:labeling-job/{name}"
    for number, member in enumerate(MEMBERS):
        mask = Image.new("L", (600, 400))
        draw = ImageDraw.Draw(mask)
        draw.ellipse((75 - 4 * number, 68 + 22 * number, 481 + 5 * number, 392), fill=2)
        draw.polygon([(x + 3 * number, y - 2 * number) for x, y in CUP], fill=1)
        client = Client(workshop.aws.portal_url)
        client.sign_in(workshop, member)
        answer = {"crowd-semantic-segmentation": encode_answer(np.asarray(mask), ("cup", "saucer"))}
        assert client.json(f"{client.task(arn)}/submit", {"answer": answer})[0] == 200
    workshop.wait(name, "Completed")
    return name


def test_the_consoles_pages(browser: Any, workshop, voted, contested, keep) -> None:  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(workshop.aws.console_url)
    found = violations(page)
    keep(page, "console-overview")
    page.goto(f"{workshop.aws.portal_url}/console/jobs/{voted[0]}")
    found += violations(page)
    page.goto(f"{workshop.aws.portal_url}/console/jobs/{contested}/results/0")
    page.wait_for_load_state("networkidle")
    found += violations(page)
    keep(page, "console-result")
    page.goto(f"{workshop.aws.portal_url}/console/jobs/{voted[0]}/log")
    found += violations(page)
    context.close()
    assert found == []
