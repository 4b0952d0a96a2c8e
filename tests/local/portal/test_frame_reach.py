"""A task's frame reaches S3 and the portal's static files, whatever its template tries, in a real browser."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error

from tests.local.portal.workshop import SEED

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

#: Markup that loads something; ELSEWHERE is a server that only listens.
MARKUP = [
    '<img src="ELSEWHERE/img">',
    '<img srcset="ELSEWHERE/srcset 2x">',
    '<picture><source srcset="ELSEWHERE/source"><img alt=""></picture>',
    '<div style="background: url(ELSEWHERE/background); width: 9px; height: 9px">x</div>',
    '<style>@import url("ELSEWHERE/import.css");</style>',
    '<style>@font-face { font-family: f; src: url("ELSEWHERE/font") } p { font-family: f }</style><p>f</p>',
    '<link rel="stylesheet" href="ELSEWHERE/style.css">',
    '<link rel="preload" as="image" href="ELSEWHERE/preload">',
    '<link rel="modulepreload" href="ELSEWHERE/modulepreload">',
    '<link rel="prefetch" href="ELSEWHERE/prefetch">',
    '<link rel="preconnect" href="ELSEWHERE">',
    '<link rel="icon" href="ELSEWHERE/icon">',
    '<link rel="manifest" href="ELSEWHERE/manifest">',
    '<video src="ELSEWHERE/video" poster="ELSEWHERE/poster"></video>',
    '<audio src="ELSEWHERE/audio" preload="auto"></audio>',
    '<object data="ELSEWHERE/object"></object>',
    '<embed src="ELSEWHERE/embed">',
    '<iframe src="ELSEWHERE/iframe"></iframe>',
    '<iframe srcdoc="<img src=ELSEWHERE/nested>"></iframe>',
    '<svg><image href="ELSEWHERE/svg" width="9" height="9"></image></svg>',
    '<svg><filter id="f"><feImage href="ELSEWHERE/fe"></feImage></filter></svg>',
    '<script src="ELSEWHERE/script"></script>',
    '<input type="image" src="ELSEWHERE/input" alt="">',
]
SCRIPTS = [
    "fetch('ELSEWHERE/fetch', {mode: 'no-cors'})",
    "fetch('ELSEWHERE/keep', {mode: 'no-cors', keepalive: true})",
    "const x = new XMLHttpRequest(); x.open('GET', 'ELSEWHERE/xhr'); x.send()",
    "navigator.sendBeacon('ELSEWHERE/beacon', 'x')",
    "new WebSocket('ELSEWHERE/socket'.replace('http', 'ws'))",
    "new EventSource('ELSEWHERE/events')",
    "new Image().src = 'ELSEWHERE/image'",
    "import('ELSEWHERE/module')",
    "new Worker(URL.createObjectURL(new Blob(['fetch(\"ELSEWHERE/worker\")'])))",
    "document.body.append(Object.assign(document.createElement('form'), {action: 'ELSEWHERE/form'}));"
    "document.forms[document.forms.length - 1].submit()",
    "window.open('ELSEWHERE/open')",
    "const a = Object.assign(document.createElement('a'), {href: 'ELSEWHERE/a', ping: 'ELSEWHERE/ping'});"
    "document.body.append(a); setTimeout(() => a.click(), 1000)",
    "setTimeout(() => { location.href = 'ELSEWHERE/location' }, 1500)",
]  # fmt: skip
PEER = """
  try {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:PORT" }] });
    peer.createDataChannel("x");
    peer.createOffer().then((offer) => peer.setLocalDescription(offer));
  } catch (error) {}"""
NESTED = """const f = document.createElement('iframe');
  f.srcdoc = `<script>PEER</` + `script>`; document.body.append(f);"""
WAIT = 2_500


class _Elsewhere:
    """Two ports that note who comes: one of TCP, also for TLS, one of UDP for WebRTC's STUN."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._udp.setblocking(False)
        self.visits: list[Any] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                connection.settimeout(1)
                with connection, contextlib.suppress(OSError):
                    self.visits.append(connection.recv(60))

    def has_peer(self):
        try:
            return bool(self._udp.recv(100))
        except BlockingIOError:
            return False

    def fill(self, text, scheme="http"):
        peer = PEER.replace("PORT", str(self._udp.getsockname()[1]))
        text = text.replace("PEER", peer)
        return text.replace("ELSEWHERE", f"{scheme}://127.0.0.1:{self._tcp.getsockname()[1]}")

    def close(self) -> None:
        # A thread in accept() is woken by this, not by a close.
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._tcp.close()
        self._udp.close()


@pytest.fixture
def elsewhere():
    one = _Elsewhere()
    yield one
    one.close()


@pytest.fixture
def seed_with(workshop):
    """Make a job whose template has something more in it, and stop it: others would find its task."""
    names = []

    def create(more, before=""):
        names.append(workshop.create(before + SEED + more))
        return names[-1]

    yield create
    for name in names:
        workshop.stop(name)


def page_of(elsewhere, scheme):
    """Everything at once, as soon as the elements are there to say what is blocked."""
    scripts = "addEventListener('unhandledrejection', (event) => event.preventDefault());"
    scripts += "".join(f"try {{ {code} }} catch (error) {{}}\n" for code in SCRIPTS)
    start = "customElements.whenDefined('crowd-semantic-segmentation').then(() => setTimeout(tryAll, 500));"
    markup = "\n".join(MARKUP)
    return elsewhere.fill(f"{markup}<script>function tryAll() {{ {scripts} }}\n{start}</script>", scheme)


def test_the_control_reaches_it(browser: Any, elsewhere, static_server, tmp_path: Path) -> None:
    """Without the frame's policy the same page is seen, so that the tests below can fail."""
    body = elsewhere.fill("<script>PEER</script>" + "\n".join(MARKUP))
    (tmp_path / "plain.html").write_text(f"<!doctype html><body>{body}")
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{static_server}/plain.html", wait_until="commit")
    tab.wait_for_timeout(WAIT)
    context.close()
    paths = {visit.split(b" ")[1] for visit in elsewhere.visits if visit.startswith(b"GET ")}
    assert {b"/img", b"/background", b"/style.css", b"/nested", b"/script"} <= paths
    assert elsewhere.has_peer()


@pytest.mark.attack(
    "whoever writes the worker template",
    "what the worker's browser reaches",
    attempts=len(MARKUP) + len(SCRIPTS),
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_template_reaches_nothing_else(person, seed_with, elsewhere, scheme: str) -> None:
    # A doctype of its own, too: what is put before a template's first script comes after it.
    name = seed_with(page_of(elsewhere, scheme), before="<!DOCTYPE html>\n")
    ada = person()
    ada.start(name)
    ada.page.get_by_text("is blocked here").wait_for()
    ada.page.wait_for_timeout(WAIT + 1_000)
    assert elsewhere.visits == []
    assert ada.page.url.rpartition("/")[0] == f"{ada.url}/tasks"


@pytest.mark.attack("whoever writes the worker template", "what the worker's browser reaches")
@pytest.mark.parametrize("script", ["PEER", NESTED], ids=["its own page", "a frame in its page"])
def test_a_template_has_no_peers(person, seed_with, elsewhere, script) -> None:
    name = seed_with(f"<script>setTimeout(() => {{ {elsewhere.fill(script)} }}, 500)</script>")
    ada = person()
    crashed = []
    ada.page.on("crash", lambda page: crashed.append(page))
    ada.start(name)
    # Chromium ends a page whose inner frame tries it, sometimes before the page is ready.
    with contextlib.suppress(Error):
        ada.painter()
    assert crashed or ada.frame.locator("crowd-semantic-segmentation").count()
    time.sleep(WAIT / 1000)
    assert not elsewhere.has_peer()
    tab = ada.context.new_page()
    tab.goto(f"{ada.url}/jobs")
    assert tab.get_by_text("Sign out").is_visible()
