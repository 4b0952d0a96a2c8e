"""A worker loses nothing: each way to lose what was painted, tried in a real browser."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error

from tests.local.portal.workshop import MEMBERS, Person, picture

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")


@pytest.fixture
def job(workshop):
    name = workshop.create(pictures={"first.jpg": picture(), "second.jpg": picture()})
    workshop.wait(name, "InProgress")
    yield name
    workshop.stop(name)


READ_DRAFT = """key => new Promise(done => {
  const request = indexedDB.open("worker-portal");
  request.onsuccess = () => {
    const get = request.result.transaction("drafts").objectStore("drafts").get(key);
    get.onsuccess = () => {
      done(get.result?.sent === true ? [...get.result.bytes] : []);
      request.result.close();
    };
    get.onerror = () => done([]);
  };
})"""


def kept(person, mask) -> None:
    """Wait until the browser has what is painted, and the server, too."""
    key = person.page.locator("#frame").get_attribute("data-draft")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if runs(person.page.evaluate(READ_DRAFT, key)) == mask.ravel().tolist():
            return
        time.sleep(0.05)
    raise AssertionError("the server doesn't have what was painted")


def runs(draft):
    """The class ids of a draft: after 12 bytes, pairs of a class id and a number of pixels, 7 bits a byte."""
    numbers, value, shift = [], 0, 0
    for byte in draft[12:]:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value, shift = 0, 0
    return [number for number, count in zip(numbers[::2], numbers[1::2], strict=True) for _ in range(count)]


def paint(person):
    painter = person.painter()
    painter.size(9)
    painter.drag((20, 20), (90, 60))
    painter.key("2")
    painter.drag((20, 70), (60, 70))
    return painter.mask()


def test_a_reload_has_what_was_painted(person, job) -> None:
    ada = person().start(job)
    mask = paint(ada)
    # Not even the moment of the autosave is waited for.
    ada.page.reload()
    assert (ada.painter().mask() == mask).all()
    assert ada.frame.get_by_text("What you had painted is here again.").is_visible()


def test_a_closed_tab_is_found_again_on_the_list_of_jobs(person, job) -> None:
    ada = person().start(job)
    mask = paint(ada)
    kept(ada, mask)
    task = ada.page.url
    ada.page.close()
    ada.page = ada.context.new_page()
    ada.page.goto(f"{ada.url}/jobs")
    card = ada.page.locator("article.held", has_text="first.jpg")
    assert "59 min left" in card.text_content() or "1 h left" in card.text_content()
    assert "your paint is kept" in card.text_content()
    card.get_by_role("link", name="Continue").click()
    assert ada.page.url == task
    assert (ada.painter().mask() == mask).all()


def test_a_crashed_browser_and_another_one_have_it(browser: Any, workshop, person, job) -> None:
    ada = person().start(job)
    mask = paint(ada)
    kept(ada, mask)
    with ada.page.expect_event("crash"), contextlib.suppress(Error):
        ada.page.goto("chrome://crash", timeout=3000)
    other = person()
    other.page.locator("article.held").first.get_by_role("link").click()
    assert (other.painter().mask() == mask).all()


def test_a_lost_connection_says_so_and_the_paint_is_sent_later(person, job) -> None:
    ada = person().start(job)
    ada.painter()
    ada.context.set_offline(True)
    mask = paint(ada)
    ada.page.get_by_text("The connection is lost. What you paint is kept in this browser").wait_for()
    # Leaving now would lose it for other browsers, so it asks.
    asked = []
    ada.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    ada.page.close(run_before_unload=True)
    ada.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    ada.context.set_offline(False)
    kept(ada, mask)
    assert not ada.page.locator("#banner").is_visible()
    grace = person()
    grace.page.locator("article.held").first.get_by_role("link").click()
    assert (grace.painter().mask() == mask).all()


def test_an_answer_without_a_connection_is_sent_when_it_is_back(person, workshop, job) -> None:
    ada = person().start(job)
    kept(ada, paint(ada))
    ada.context.set_offline(True)
    task = ada.page.url
    ada.frame.get_by_role("button", name="Submit", exact=True).click()
    ada.page.get_by_text("Your answer is kept in this browser").wait_for()
    ada.context.set_offline(False)
    ada.page.wait_for_url(lambda url: url != task)
    assert labeled(workshop, job) == 1


def test_an_answer_survives_the_tab_that_could_not_send_it(person, workshop, job) -> None:
    ada = person().start(job)
    kept(ada, paint(ada))
    ada.page.route("**/submit", lambda route: route.abort())
    ada.frame.get_by_role("button", name="Submit", exact=True).click()
    ada.page.get_by_text("Your answer is kept in this browser").wait_for()
    ada.page.close()
    ada.page = ada.context.new_page()
    ada.page.goto(f"{ada.url}/jobs")
    ada.page.get_by_text("An answer that you submitted before has been sent now.").wait_for()
    assert ada.page.locator("article.held").count() == 0
    assert labeled(workshop, job) == 1


def labeled(workshop, name):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        counters = workshop.sagemaker.describe_labeling_job(LabelingJobName=name)["LabelCounters"]
        if counters["TotalLabeled"]:
            return counters["TotalLabeled"]
        time.sleep(0.05)
    return 0


def test_a_submit_is_sent_once_however_often_it_is_asked(person, workshop, job) -> None:
    ada = person().start(job)
    paint(ada)
    sent = []
    ada.page.on("request", lambda request: request.url.endswith("/submit") and sent.append(request))
    ada.page.route("**/submit", lambda route: (time.sleep(0.3), route.continue_()))
    task = ada.page.url
    button = ada.frame.get_by_role("button", name="Submit", exact=True)
    button.evaluate("button => { for (let n = 0; n < 5; n++) button.click(); }")
    ada.widget_keys("Control+Enter", "Control+Enter")
    ada.page.wait_for_url(lambda url: url != task)
    assert len(sent) == 1


def test_an_answer_whose_thanks_got_lost_counts_once(person, workshop, job) -> None:
    ada = person().start(job)
    kept(ada, paint(ada))
    lost = []

    def lose(route) -> None:
        response = route.fetch()
        lost.append(response.status)
        if len(lost) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    ada.page.route("**/submit", lose)
    task = ada.page.url
    ada.frame.get_by_role("button", name="Submit", exact=True).click()
    ada.page.wait_for_url(lambda url: url != task)
    # The server had the first one; the second is the same answer, thanked for and not counted.
    assert lost == [200, 200]
    assert "second.jpg" in ada.page.locator(".task-title").text_content()
    assert labeled(workshop, job) == 1


def test_two_tabs_on_one_task_agree(person, job) -> None:
    ada = person().start(job)
    mask = paint(ada)
    second = ada.context.new_page()
    second.goto(ada.page.url)
    other = Person.__new__(Person)
    other.page, other.context, other.url = second, ada.context, ada.url
    assert (other.painter().mask() == mask).all()
    dialog = ada.page.get_by_role("dialog", name="Open in another window")
    dialog.wait_for()
    painter = other.painter()
    painter.drag((100, 10), (110, 70))
    newer = painter.mask()
    dialog.get_by_role("button", name="Take it back here").click()
    assert (ada.painter().mask() == newer).all()
    second.get_by_role("dialog", name="Open in another window").wait_for()


def test_two_browsers_on_one_task_agree(person, job) -> None:
    ada = person().start(job)
    mask = paint(ada)
    kept(ada, mask)
    other = person(MEMBERS[0])
    other.page.goto(ada.page.url)
    assert (other.painter().mask() == mask).all()
    # The older browser is signed out by now; what it paints stays in it, and it says so.
    ada.painter().drag((100, 10), (110, 70))
    ada.page.get_by_text("kept in this browser only: Please sign in again.").wait_for()
    assert (other.painter().mask() == mask).all()


def test_a_laptop_that_slept_beyond_the_limit_keeps_the_paint(person, workshop) -> None:
    name = workshop.create(TaskTimeLimitInSeconds=30)
    ada = person()
    ada.page.clock.install()
    ada.start(name)
    painter = ada.painter()
    painter.size(9)
    painter.drag((20, 20), (90, 60))
    mask = painter.mask()
    ada.page.clock.run_for(1500)
    kept(ada, mask)
    # A laptop that sleeps runs no timers, and wakes at another time.
    ada.page.clock.fast_forward("01:00:00")
    dialog = ada.page.get_by_role("dialog", name="Time is over")
    dialog.wait_for()
    assert "What you painted is kept" in dialog.text_content()
    ada.page.get_by_role("link", name="All jobs")
    other = person()
    other.page.goto(ada.page.url)
    # The server's own clock has not moved: the task is still there, with its paint.
    assert (other.painter().mask() == mask).all()
    workshop.stop(name)


def test_a_returned_task_keeps_its_paint_and_a_declined_one_does_not(person, workshop) -> None:
    name = workshop.create()
    ada = person().start(name)
    mask = paint(ada)
    kept(ada, mask)
    ada.page.get_by_role("button", name="Return").click()
    dialog = ada.page.get_by_role("dialog", name="Return this task?")
    assert "is kept" in dialog.text_content()
    dialog.get_by_role("button", name="Return").click()
    ada.page.wait_for_url("**/jobs")
    ada.start(name)
    assert (ada.painter().mask() == mask).all()
    workshop.stop(name)


def test_a_draft_is_no_larger_than_it_must_be(page, static_server, tmp_path: Path) -> None:
    """Runs of pixels, read back by the page itself; what isn't a draft of this picture changes nothing."""
    page.goto(f"{static_server}/static/LICENSE.txt")
    result = page.evaluate(
        """async () => {
          const { encodeDraft, decodeDraft } = await import("/static/crowd/draft.js");
          const [width, height] = [1000, 700];
          const data = new Uint8Array(width * height);
          for (let i = 0; i < data.length; i += 1) if ((i % 1000) > 300 && i % 7 < 5) data[i] = 1 + i % 200;
          const bytes = encodeDraft({ data, width, height });
          const target = new Uint8Array(width * height);
          const good = decodeDraft(bytes, target, width, height, 255);
          const same = target.every((id, index) => id === data[index]);
          const untouched = new Uint8Array(width * height);
          const bad = [
            decodeDraft(bytes, untouched, height, width, 255),
            decodeDraft(bytes.slice(0, -1), untouched, width, height, 255),
            decodeDraft(bytes, untouched, width, height, 3),
            decodeDraft(new Uint8Array(40), untouched, width, height, 255),
          ];
          const blank = encodeDraft({ data: new Uint8Array(24e6), width: 6000, height: 4000 }).length;
          return { good, same, bad, changed: untouched.some((id) => id !== 0), blank };
        }"""
    )
    assert result == {"good": True, "same": True, "bad": [False] * 4, "changed": False, "blank": 17}
