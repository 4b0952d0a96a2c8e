"""Read, check, export and report Ground Truth semantic segmentation labels.

Names load their modules when first used, so that `ground-truth-labels --help` answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ground_truth_labels.classes import LabelList
    from ground_truth_labels.errors import (
        ExportError,
        LabelsError,
        LimitError,
        ManifestError,
        MaskError,
        MissingError,
        UnknownColorError,
    )
    from ground_truth_labels.item import Item
    from ground_truth_labels.limits import Limits
    from ground_truth_labels.manifest import Manifest, read_manifest
    from ground_truth_labels.overlay import overlay
    from ground_truth_labels.storage import Storage

_HOMES = {
    "ExportError": "errors",
    "Item": "item",
    "LabelList": "classes",
    "LabelsError": "errors",
    "LimitError": "errors",
    "Limits": "limits",
    "Manifest": "manifest",
    "ManifestError": "errors",
    "MaskError": "errors",
    "MissingError": "errors",
    "Storage": "storage",
    "UnknownColorError": "errors",
    "overlay": "overlay",
    "read_manifest": "manifest",
}

__all__ = [
    "ExportError",
    "Item",
    "LabelList",
    "LabelsError",
    "LimitError",
    "Limits",
    "Manifest",
    "ManifestError",
    "MaskError",
    "MissingError",
    "Storage",
    "UnknownColorError",
    "overlay",
    "read_manifest",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
