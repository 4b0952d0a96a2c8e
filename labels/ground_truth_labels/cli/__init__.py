"""The command `ground-truth-labels`."""

from __future__ import annotations

from ground_truth_labels.cli.main import main

__all__ = ["main"]
