"""One self-contained HTML page about a finished job."""

from __future__ import annotations

from ground_truth_labels.reports.build import ReportResult, report

__all__ = ["ReportResult", "report"]
