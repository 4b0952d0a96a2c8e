"""A real browser, a static server for the elements alone, and an embedded AWS with jobs to work on."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import threading
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
STATIC = resources.files("ground_truth_local.portal").joinpath("static")


@pytest.fixture
def page(browser: Any):
    """Give a page of 1280 by 800 whose script errors and foreign requests fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems = watch(page)
    yield page
    context.close()
    assert problems == []


def watch(page):
    """Return a list to which errors of scripts and requests beyond loopback are added."""
    problems = []
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("request", lambda request: problems.extend(_foreign(request.url)))
    return problems


def _foreign(url):
    local = ("http://127.0.0.1:", "http://localhost:", "data:", "blob:", "about:")
    return [] if url.startswith(local) else [f"request to {url}"]


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a test's own folder, and below /static the elements."""

    def translate_path(self, path):
        if path.startswith("/static/"):
            return str(STATIC) + path.removeprefix("/static").partition("?")[0]
        return super().translate_path(path)

    def end_headers(self) -> None:
        if "no-cors" not in self.path:
            self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def static_server(tmp_path: Path):
    """Give the address of a server on `tmp_path`."""
    with _serving(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory):
    """Give the address of a server for all tests of a module, and its folder."""
    folder = tmp_path_factory.mktemp("served")
    with _serving(folder) as address:
        yield address, folder


@contextlib.contextmanager
def _serving(folder):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def workshop():
    """Give an embedded AWS to make jobs in, without simulated workers."""
    from ground_truth_local.server import EmbeddedAws
    from tests.local.portal.workshop import Workshop

    with EmbeddedAws() as aws:
        yield Workshop(aws)


@pytest.fixture
def person(browser: Any, workshop):
    """Give a function that signs somebody in; script errors in their browser fail the test."""
    from tests.local.portal.workshop import Person

    people = []
    problems = []

    def sign_in(*arguments, **options):
        one = Person(browser, workshop.aws.portal_url, *arguments, **options)
        one.page.on("pageerror", lambda error: problems.append(str(error)))
        people.append(one)
        return one

    yield sign_in
    for one in people:
        one.close()
    assert problems == []


@pytest.fixture
def keep(tmp_path: Path):
    """Give a function that keeps a screenshot; with UPDATE_SCREENSHOTS=1 it becomes the documentation's."""

    def take(page, name) -> None:
        path = tmp_path / f"{name}.png"
        page.screenshot(path=path)
        assert path.stat().st_size > 10_000
        if os.environ.get("UPDATE_SCREENSHOTS"):
            shutil.copy(path, DOCS / path.name)

    return take
