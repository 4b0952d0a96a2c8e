"""Finds a Chrome or Chromium on this machine, and drives it with Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOW_TO_INSTALL = (
    "No Chrome or Chromium is there. Install one (`apt-get install chromium`, `brew install --cask chromium` "
    "or `playwright install chromium`), or name its program in GROUND_TRUTH_BROWSER."
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# Nothing but the page may be asked for: without these a browser calls home at each start.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class BrowserMissing(Exception):
    """There is no browser, or no Playwright to drive it; the text says how to get it."""


def find_browser() -> str | None:
    """Return the program of an installed Chrome or Chromium."""
    named = os.environ.get("GROUND_TRUTH_BROWSER")
    if named:
        return named
    on_path = next(filter(None, map(shutil.which, _NAMES)), None)
    return on_path or next((path for path in _APPLICATIONS if Path(path).exists()), None)


@contextmanager
def launch() -> Iterator[Browser]:
    """Start a browser without a window, for the length of a ``with``.

    Raises:
        BrowserMissing: there is none.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise BrowserMissing(
            "Playwright isn't installed: pip install 'ground-truth-local[browser]'"
        ) from error
    with sync_playwright() as playwright:
        program = find_browser() or playwright.chromium.executable_path
        if not Path(program).exists():
            raise BrowserMissing(HOW_TO_INSTALL)
        # Chromium's own sandbox doesn't work for root, as which containers and CI run.
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = [*_QUIET, *(["--no-sandbox"] if is_root else [])]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
