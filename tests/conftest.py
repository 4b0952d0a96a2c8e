"""What every test needs: the Node of the checkout, for jsii and the CDK CLI, also without `make`."""

from __future__ import annotations

import os
from typing import Any

from ground_truth_local.cdk_cli import node_path

os.environ["PATH"] = node_path()


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
