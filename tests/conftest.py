"""What every test needs: the Node of the checkout, for jsii and the CDK CLI, also without `make`."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ground_truth_local.cdk_cli import node_path
from ground_truth_local.portal.browser import BrowserMissing, launch
from ground_truth_local.settings import MIDDLEWARE

os.environ["PATH"] = node_path()

# The embedded AWS of any test has its answers looked at.
_WATCHING = str(Path(__file__).parent / "answers" / "watching.py")
_FAULTS = Path(tempfile.mkdtemp(prefix="answers-")) / "faults.txt"
os.environ[MIDDLEWARE] = json.dumps([_WATCHING, "watched", str(_FAULTS)])
atexit.register(shutil.rmtree, _FAULTS.parent, ignore_errors=True)


@pytest.fixture
def stand_ins() -> tuple[str, ...]:
    """The services that something answers in place of ours, as the beginnings of operations' names."""
    return ()


@pytest.fixture(autouse=True)
def answers_are_valid(stand_ins: tuple[str, ...]) -> Iterator[None]:
    """Fail where an embedded AWS gave an answer that no AWS gives, or our handler had no words for an error.

    It may have been since the last test, as servers go on between tests.
    """
    yield
    if _FAULTS.exists():
        faults = _FAULTS.read_text(encoding="utf-8").splitlines()
        _FAULTS.unlink()
        faults = [fault for fault in faults if not fault.startswith(stand_ins)]
        assert not faults, "answers that nobody may give:\n" + "\n".join(dict.fromkeys(faults))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Give a headless Chromium: one for all tests, as Playwright's loop bears no second one beside it."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(launch())
        except BrowserMissing as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        yield started


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what a test recorded as ``told``: figures that belong on the screen, under xdist too."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    told = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "told"
    ]
    # Each phase of a test reports it again.
    for line in dict.fromkeys(told):
        terminalreporter.write_line(line)
