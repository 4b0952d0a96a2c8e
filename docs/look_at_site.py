"""Opens the built site in a browser: pages show, its search finds, no link of the start page leads nowhere.

`make docs` runs it; what it saw lies in `site/_pictures`.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SITE = Path(__file__).parents[1] / "site"
PICTURES = SITE / "_pictures"
PAGES = (
    "docs/index",
    "docs/tutorial",
    "docs/testing",
    "docs/api",
    "docs/api-labels",
    "docs/api-local",
    "docs/faq",
)
#: What somebody types, and the page that has to be among the first answers.
SEARCHES = {"relabel": "api-labels", "CORS": "faq", "rollback": "lifecycle", "EmbeddedAws": "api-local"}
FIRST = 10


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


def main() -> int:
    """Look at all of it; 1 with a line for each thing that is wrong."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    PICTURES.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        problems = [*_pages(page, base), *_searches(page, base)]
        browser.close()
    server.shutdown()
    print("\n".join(problems) or f"{len(PAGES)} pages and {len(SEARCHES)} searches looked at")
    return 1 if problems else 0


def _pages(page: Page, base: str) -> list[str]:
    problems = []
    for name in PAGES:
        answer = page.goto(f"{base}/{name}.html")
        if answer is None or not answer.ok or not page.locator("h1").count():
            problems.append(f"{name}: doesn't show")
        page.screenshot(path=PICTURES / f"{name.replace('/', '-')}.png")
    page.goto(f"{base}/docs/index.html")
    links = page.locator("article a[href]").evaluate_all("all => all.map(each => each.href)")
    own = {link.partition("#")[0] for link in links if link.startswith(base)}
    return problems + [f"{link}: leads nowhere" for link in sorted(own) if not page.request.get(link).ok]


def _searches(page: Page, base: str) -> list[str]:
    problems = []
    for words, wanted in SEARCHES.items():
        page.goto(f"{base}/search.html?q={words}")
        page.locator("#search-results li a").first.wait_for(timeout=20_000)
        found = page.locator("#search-results li a").evaluate_all("all => all.map(each => each.href)")[:FIRST]
        if not any(f"/{wanted}.html" in link for link in found):
            problems.append(f"search for {words!r}: {wanted} is not among {found}")
        page.screenshot(path=PICTURES / f"search-{words}.png")
    return problems


if __name__ == "__main__":
    sys.exit(main())
