"""What every test needs: the Node of the checkout, for jsii and the CDK CLI, also without `make`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest

from ground_truth_local.cdk_cli import node_path
from ground_truth_local.portal.browser import BrowserMissing, launch

os.environ["PATH"] = node_path()


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
