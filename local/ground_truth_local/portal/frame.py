"""The document in a task's frame: the rendered worker template, in an origin of its own.

A worker template is a page with scripts, and it shows labels, file names and instructions of whoever set up
the job. So it runs sandboxed: without the portal's origin, cookies or forms, and it reaches no server but S3.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

from . import static_files
from .http import Response, page

REAL_SCRIPT = "https://assets.crowd.aws/crowd-html-elements.js"
_SCRIPT_URL = re.compile(r"(?:https?:)?//assets\.crowd\.aws/crowd-html-elements\.js", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*<!doctype\b[^>]*>", re.IGNORECASE)
_WIDGET = "crowd-semantic-segmentation"
SUPPORTED = frozenset(
    {
        "crowd-alert", "crowd-button", "crowd-card", "crowd-checkbox", "crowd-form", "crowd-image-classifier",
        "crowd-input", "crowd-instructions", "crowd-radio-button", "crowd-radio-group", "crowd-text-area",
        _WIDGET,
    }
)  # fmt: skip
"""The elements that the front-end files define."""

# With the real script a submission is the element's own event, which no page around would notice.
_REAL_SCRIPT_SHIM = """<script>
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const answer = {};
  for (const element of document.querySelectorAll("crowd-form [name]")) answer[element.name] = element.value;
  window.parent.postMessage({ crowd: "submit", id: 0, content: { answer } }, "*");
}, true);
</script>"""


# No policy of a page's closes WebRTC, so its constructors go before the template's first script runs.
_NO_PEERS = """<script>
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) delete window[name];
document.currentScript.remove();
</script>"""


class FrameError(Exception):
    """The page can't be shown here; the text says why, with a line where there is one."""


class TemplatePage(HTMLParser):
    """A rendered template, looked at before it is shown.

    Raises:
        FrameError: it uses an element that isn't supported, or doesn't load the elements' script.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.widgets: list[dict[str, str | None]] = []
        self._has_form = False
        self._has_script = False
        self.feed(html)
        self.close()
        if not self._has_script:
            raise FrameError(f'The template doesn\'t load its elements, <script src="{REAL_SCRIPT}">.')

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of an element."""
        if tag.startswith("crowd-") and tag not in SUPPORTED:
            raise FrameError(
                f"Line {self.getpos()[0]} of the rendered template: <{tag}> is not supported by the local "
                f"portal. It knows {', '.join(sorted(SUPPORTED))}."
            )
        self._has_form |= tag == "crowd-form"
        if tag == "script":
            self._has_script |= bool(_SCRIPT_URL.fullmatch(dict(attrs).get("src") or ""))
        if tag == _WIDGET:
            self.widgets.append(dict(attrs))

    def offers_auto_segment(self, team_arn: str) -> bool:
        """Tell whether the auto-segmentation tool is there ("Auto-Segmentation Tool", Tool Availability).

        The template has a form with one segmentation element with name and labels, its picture is pre-signed,
        and the work team is private or a vendor's.
        """
        if not self._has_form or len(self.widgets) != 1 or ":workteam/public-crowd/" in team_arn:
            return False
        widget = self.widgets[0]
        presigned = "X-Amz-Signature=" in urlsplit(widget.get("src") or "").query
        return presigned and bool(widget.get("name")) and bool(widget.get("labels"))


def frame_response(
    content: TemplatePage, *, portal: str, picture_origins: tuple[str, ...], real_elements: bool = False
) -> Response:
    """Answer with the document of a task's frame.

    Args:
        content: the rendered template.
        portal: the portal's origin, where the elements' script comes from.
        picture_origins: where pictures may be read from, i.e. S3.
        real_elements: leave the template's own script URL, which needs the network.
    """
    html = content.html if real_elements else _SCRIPT_URL.sub(portal + _script(), content.html)
    headers = {"content-security-policy": _policy(portal, picture_origins, real_elements)}
    doctype = _DOCTYPE.match(html)
    if doctype is None:
        # The elements' own words are English; a template of its own doctype says its language itself.
        head = '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Task</title>'
    else:
        head, html = doctype[0], html[doctype.end() :]
    if real_elements:
        html += _REAL_SCRIPT_SHIM
    else:
        head += _NO_PEERS
        headers["connection-allowlist"] = _allowed(portal, picture_origins)
    return page(f"{head}\n{html}", headers={**headers, "referrer-policy": "no-referrer"})


def _allowed(portal: str, picture_origins: tuple[str, ...]) -> str:
    """Tell browsers that know the header (Chromium) where all of a frame may go: frames within it, too.

    It is the one way to close WebRTC in a frame that a template's script makes.
    """
    return "({})".format(" ".join(f'"{origin}/*"' for origin in (portal, *picture_origins)))


def _script() -> str:
    return static_files.address("crowd-html-elements.js")


def _policy(portal: str, picture_origins: tuple[str, ...], real_elements: bool) -> str:
    # AWS's own script brings what it needs from places that nobody documents.
    scripts = "https://assets.crowd.aws https:" if real_elements else ""
    network = "https:" if real_elements else ""
    pictures = " ".join(picture_origins)
    return "; ".join(
        [
            # Also when somebody opens the frame's address by itself, it has no origin.
            "sandbox allow-scripts allow-forms allow-modals",
            "default-src 'none'",
            # A template may have scripts; others' scripts it may not bring in, so that it works offline.
            f"script-src 'unsafe-inline' {portal}{static_files.PREFIX} {scripts}",
            f"style-src 'unsafe-inline' {network}",
            f"img-src data: blob: {pictures} {network}",
            f"connect-src {pictures} {network}",
            f"font-src data: {network}",
            f"media-src data: {network}",
            "form-action 'none'",
            "base-uri 'none'",
            f"frame-ancestors {portal}",
        ]
    )
