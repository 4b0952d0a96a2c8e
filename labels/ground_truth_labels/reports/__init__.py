"""One self-contained HTML page about a finished job."""

from __future__ import annotations

from .build import ReportResult, report

__all__ = ["ReportResult", "report"]
