"""Labels that were drawn elsewhere, as a Ground Truth output manifest."""

from __future__ import annotations

from .build import ImportResult, import_labels

__all__ = ["ImportResult", "import_labels"]
