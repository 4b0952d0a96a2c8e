"""The portal's own pages: Liquid files with escaping on, so that nothing from a job is ever markup."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from liquid import BoundTemplate, Environment
from markupsafe import Markup

from . import static_files

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""What a page of the portal may load and do."""


SECURITY = {
    "x-content-type-options": "nosniff",
    # With "no-referrer" a form would be posted with the origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of every answer besides the policy."""

_WITH_SCRIPT = ("jobs", "preview", "task")


@cache
def _template(name: str) -> BoundTemplate:
    source = resources.files(__package__).joinpath("pages", f"{name}.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source)


def render(name: str, *, title: str, person: str = "", **values: Any) -> str:
    """Render one of ``pages/`` in the common frame."""
    icon = static_files.address("portal/icon.svg")
    content = _template(name).render(title=title, person=person, icon=icon, **values)
    return _template("layout").render(
        title=title,
        person=person,
        page=name,
        content=Markup(content),
        styles=static_files.address("portal/portal.css"),
        icon=icon,
        script=static_files.address(f"portal/{name}.js") if name in _WITH_SCRIPT else "",
        refresh=values.get("refresh", 0),
        console=values.get("console", False),
        console_styles=static_files.address("portal/console.css"),
    )
