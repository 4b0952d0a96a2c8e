"""axe-core finds nothing on any page; the same run takes the documentation's screenshots."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.local.portal.test_console import voted  # noqa: F401
from tests.local.portal.workshop import Person

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

ROOT = Path(__file__).parents[3]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def violations(frame):
    """Run axe in a page or a frame; the script comes by the debugger, which no policy of a page stops."""
    frame.evaluate(AXE.read_text())
    found = frame.evaluate("axe.run(document, { iframes: false })")
    assert found["passes"], "axe has looked at nothing"
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


@pytest.fixture
def photograph(tmp_path):
    """Give a function that keeps a screenshot; with UPDATE_SCREENSHOTS=1 it becomes the documentation's."""

    def take(page, name):
        path = tmp_path / f"{name}.png"
        page.screenshot(path=path)
        assert path.stat().st_size > 10_000
        if os.environ.get("UPDATE_SCREENSHOTS"):
            shutil.copy(path, ROOT / "docs" / path.name)

    return take


def test_axe_sees_a_fault(page):
    page.set_content("<html><body><img src='x'><button></button></body></html>")
    assert any("image-alt" in one for one in violations(page))


def test_the_workers_pages(person, workshop, photograph):
    name = workshop.create(labels=("cat", "dog", "Straßenbahnhaltestellenüberdachung"))
    ada = person(viewport=(834, 1112), has_touch=True).start(name)
    painter = ada.painter()
    painter.drag((20, 20), (90, 60))
    frame = next(one for one in ada.page.frames if one.url.endswith("/frame"))
    found = violations(ada.page) + violations(frame)
    ada.frame.get_by_role("button", name="Lock cat").click()
    painter.tool("lasso")
    photograph(ada.page, "portal-tablet")
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


def test_the_consoles_pages(browser, workshop, voted, photograph):  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(workshop.aws.console_url)
    found = violations(page)
    photograph(page, "console-overview")
    page.goto(f"{workshop.aws.portal_url}/console/jobs/{voted[0]}")
    found += violations(page)
    page.goto(f"{workshop.aws.portal_url}/console/jobs/{voted[0]}/results/0")
    page.wait_for_load_state("networkidle")
    found += violations(page)
    page.goto(f"{workshop.aws.portal_url}/console/jobs/{voted[0]}/log")
    found += violations(page)
    context.close()
    assert found == []
