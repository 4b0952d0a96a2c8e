"""A new user's way, who types what the README and `make local` say and nothing else.

Two people label: one reloads, one's browser crashes, and the server is killed in the middle and comes back.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error

from tests.local.portal.painter import write_picture
from tests.local.portal.test_nothing_lost import kept, paint
from tests.local.portal.workshop import Person

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600), pytest.mark.xdist_group("e2e-new-user")]

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").split("### The whole job by hand")[1].split("\n## ")[0]
COMMANDS = [line.removeprefix("$ ").partition("#")[0].strip() for line in SECTION.splitlines()
            if line.startswith("$ ")]  # fmt: skip


class Served:
    """`make local`'s own command, on ports and photographs of this test; with what it printed."""

    def __init__(self, folder) -> None:
        recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nlocal:")[2].partition("\n\n")[0]
        command = recipe.partition("ground-truth-local serve")[2].replace("\\\n", " ")
        self._command = ["ground-truth-local", "serve", *shlex.split(command), "--port", str(_free_port())]
        place = self._command.index("--portal-port") + 1
        self._command[place] = str(_free_port())
        photos = self._command.index("photos=.cache/photos")
        self._command[photos] = f"photos={folder / 'photos'}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.PIPE, text=True)
        self.printed: list[str] = []
        assert self._process.stdout
        for line in self._process.stdout:
            self.printed.append(line.rstrip("\n"))
            if "Ctrl-C" in line:
                break
        assert self._process.poll() is None, self.printed

    def address(self, above):
        """The address in the line after the one with these words, as it would be clicked."""
        place = next(number for number, line in enumerate(self.printed) if above in line)
        return self.printed[place + 1].strip()

    def pasted(self):
        """The block to paste."""
        place = next(number for number, line in enumerate(self.printed) if "Paste this" in line)
        block = self.printed[place + 2 :]
        return "\n".join(block[: block.index("")])

    def kill(self) -> None:
        # The server's own process, too, which ends when its parent is gone.
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + 20
        while _answers(self.address("People label here")):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _answers(address):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0


@pytest.fixture
def served(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    for name in ("a.jpg", "b.jpg"):
        write_picture(tmp_path / "photos" / name, (120, 80))
    server = Served(tmp_path)
    yield server
    server.stop()


def typed(served, script, cwd=ROOT):
    """What a person types into the second terminal, after the pasted lines without their last, the deploy."""
    variables = served.pasted().rpartition("\n")[0]
    done = subprocess.run(
        ["bash", "-ec", f"{variables}\n{script}"], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def members(browser, portal):
    """The names on the sign-in page."""
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(portal)
    names = tab.locator(".people button").evaluate_all("all => all.map((one) => one.lastChild.textContent)")
    context.close()
    return names


def begin(person):
    heading = person.page.locator("article.job h2, article.job h3").first
    heading.wait_for()
    return person.start(heading.text_content())


def test_the_whole_way(browser: Any, served, tmp_path: Path) -> None:
    deploy = served.pasted().rpartition("\n")[2]
    # Two people label here; the app's default is three, and its own usage says how to change it.
    outputs = typed(served, f"{deploy} -c workers=2 --output {tmp_path / 'cdk.out'}")
    [manifest] = re.findall(r"GroundTruthDemo\.OutputManifest = (s3://\S+)", outputs)
    portal = served.address("People label here")
    ada, grace = (Person(browser, portal, name) for name in members(browser, portal)[:2])
    masks = [paint(begin(one)) for one in (ada, grace)]
    ada.page.reload()
    assert (ada.painter().mask() == masks[0]).all()
    ada.painter().drag((100, 10), (110, 70))
    masks[0] = ada.painter().mask()
    kept(ada, masks[0])
    kept(grace, masks[1])
    with grace.page.expect_event("crash"), contextlib.suppress(Error):
        grace.page.goto("chrome://crash", timeout=3000)
    served.kill()
    served.start()
    grace.page = grace.context.new_page()
    grace.page.goto(f"{portal}/jobs")
    grace.page.locator("article.held").first.get_by_role("link", name="Continue").click()
    assert (grace.painter().mask() == masks[1]).all()
    ada.page.reload()
    assert (ada.painter().mask() == masks[0]).all()
    for one in (ada, grace):
        one.submit()
        paint(one)
        one.submit()
        one.close()
    console = browser.new_context()
    tab = console.new_page()
    tab.goto(served.address("jobs, results and logs"))
    tab.locator("article", has_text="Completed").get_by_text("2 of 2 labeled").wait_for()
    tab.locator("article a").first.click()
    assert tab.locator("img[src*=thumbnail]").count() == 2
    # What only a deployed stack has: the handler's log, preflight's report, CloudFormation's events.
    text = tab.locator("main").text_content()
    assert "CREATE_COMPLETE" in text
    assert "preflight" in text.lower()
    tab.get_by_role("link", name="Handler's log").click()
    tab.locator("table").get_by_text("CreateLabelingJob").first.wait_for()
    console.close()
    for command in COMMANDS:
        typed(served, command.replace("OUTPUT_MANIFEST", manifest), cwd=tmp_path)
    assert (tmp_path / "report.html").is_file()
    assert list((tmp_path / "dataset").rglob("*.json"))
