"""A worker template of one's own, linted at synth time: its mistakes would show in the worker's browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import NoReturn

from ._rooms import limits
from .validation import Checker

_FORM = "crowd-form"
_ELEMENT = "crowd-semantic-segmentation"
_SCRIPT = "https://assets.crowd.aws/crowd-html-elements.js"
_SRC = "{{ task.input.taskObject | grant_read_access }}"
_LABELS = "{{ task.input.labels | to_json | escape }}"


@dataclass(frozen=True)
class WorkerTemplate:
    """A complete worker template; make it with `from_file`."""

    path: Path

    @classmethod
    def from_file(cls, path: str | Path) -> WorkerTemplate:
        """Use an HTML file of this machine, instead of `Instructions`.

        It needs the crowd elements' script, a ``crowd-form``, and in that one ``crowd-semantic-segmentation``
        with ``name``, ``header``, ``src`` and ``labels`` as in the service's own template. Then the
        auto-segmentation tool appears too.
        """
        return cls(Path(path))

    def read(self, check: Checker) -> bytes:
        """The template's content.

        Raises:
            ValueError: names the file, the line, the rule and the fix.
        """
        if not self.path.is_file():
            check.fail("worker_template", "be an existing file", str(self.path))
        content = self.path.read_bytes()
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            check.fail("worker_template", "be in UTF-8", f"{self.path}: {error}")
        if not 0 < len(text) <= limits.TEMPLATE_CHARACTERS_MAX:
            most = f"{limits.TEMPLATE_CHARACTERS_MAX:,}"
            check.fail("worker_template", f"have 1 to {most} characters", f"{self.path}: {len(text):,}")
        lint = _Lint(check, self.path)
        lint.feed(text)
        lint.close()
        lint.finish()
        return content


class _Lint(HTMLParser):
    def __init__(self, check: Checker, path: Path) -> None:
        super().__init__()
        self._check, self._path = check, path
        self._open_forms = self._forms = self._elements = 0
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and values.get("src") == _SCRIPT:
            self._script = True
        elif tag == _FORM:
            self._open_forms += 1
            self._forms += 1
        elif tag == _ELEMENT:
            self._elements += 1
            self._segmentation(values)

    def handle_endtag(self, tag: str) -> None:
        if tag == _FORM:
            self._open_forms -= 1

    def _segmentation(self, values: dict[str, str]) -> None:
        if self._elements > 1:
            self._fail("element", "be the only one", f"<{_ELEMENT}> no. {self._elements}", "remove it")
        if not self._open_forms:
            self._fail("element", f"be inside <{_FORM}>", f"<{_ELEMENT}>", f"wrap it in <{_FORM}>")
        if not values.get("name"):
            self._fail("name", "be set", values.get("name"), f'add name="{_ELEMENT}"')
        if not _is_liquid(values.get("src", ""), "task.input.taskObject", "grant_read_access"):
            self._fail("src", "let the browser read the image", values.get("src"), f'write src="{_SRC}"')
        if not _is_liquid(values.get("labels", ""), "task.input.labels", "to_json", "escape"):
            self._fail(
                "labels",
                "come from the job's own labels, safe for any name",
                values.get("labels"),
                f'write labels="{_LABELS}"',
            )
        if "header" not in values:
            self._fail("header", "be set", None, 'add header="…"')

    def finish(self) -> None:
        """Report what is missing as a whole."""
        if not self._script:
            self._fail("script", "load the crowd elements", None, f'add <script src="{_SCRIPT}"></script>')
        if self._forms != 1:
            self._fail("form", f"contain one <{_FORM}>", self._forms, f"keep a single <{_FORM}>")
        if not self._elements:
            self._fail("element", f"contain one <{_ELEMENT}>", 0, f"add <{_ELEMENT}> inside <{_FORM}>")

    def _fail(self, rule: str, must: str, got: object, fix: str) -> NoReturn:
        self._check.fail(f"worker_template: {self._path}:{self.getpos()[0]}: {rule}", must, got, fix)


def _is_liquid(value: str, *parts: str) -> bool:
    """Whether a value is ``{{ part | part … }}``, in any spacing."""
    pipeline = r"\s*\|\s*".join(map(re.escape, parts))
    return re.fullmatch(rf"\s*\{{\{{-?\s*{pipeline}\s*-?\}}\}}\s*", value) is not None
