"""Training layouts, and the engine that writes them."""

from __future__ import annotations

from .engine import FORMATS, export
from .running import ExportResult

__all__ = ["FORMATS", "ExportResult", "export"]
