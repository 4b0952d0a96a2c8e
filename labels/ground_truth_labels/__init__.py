"""Read, check, export and report Ground Truth semantic segmentation labels.

Names load their modules when first used, so that `ground-truth-labels --help` answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import CheckResult, Problem, check
    from .classes import LabelList
    from .drawing import overlay
    from .errors import (
        ExportError,
        LabelsError,
        LimitError,
        ManifestError,
        MaskError,
        MissingError,
        RepairError,
        StorageError,
        UnknownColorError,
    )
    from .exports import ExportResult, export
    from .imports import ImportResult, import_labels
    from .item import Item
    from .limits import Limits
    from .manifest import Manifest, read_manifest
    from .quality import WorkerQualityResult, worker_quality
    from .repairs import RepairResult, repair
    from .reports import ReportResult, report
    from .responses import WorkerResponses
    from .storage import Storage
    from .torch_data import SegmentationDataset
    from .workers import AgreementResult, agreement

_HOMES = {
    "AgreementResult": "workers",
    "CheckResult": "checks",
    "ExportError": "errors",
    "ExportResult": "exports",
    "ImportResult": "imports",
    "Item": "item",
    "LabelList": "classes",
    "LabelsError": "errors",
    "LimitError": "errors",
    "Limits": "limits",
    "Manifest": "manifest",
    "ManifestError": "errors",
    "MaskError": "errors",
    "MissingError": "errors",
    "Problem": "checks",
    "RepairError": "errors",
    "StorageError": "errors",
    "RepairResult": "repairs",
    "ReportResult": "reports",
    "SegmentationDataset": "torch_data",
    "Storage": "storage",
    "UnknownColorError": "errors",
    "WorkerQualityResult": "quality",
    "WorkerResponses": "responses",
    "agreement": "workers",
    "check": "checks",
    "export": "exports",
    "import_labels": "imports",
    "overlay": "drawing",
    "read_manifest": "manifest",
    "repair": "repairs",
    "report": "reports",
    "worker_quality": "quality",
}

__all__ = [
    "AgreementResult",
    "CheckResult",
    "ExportError",
    "ExportResult",
    "ImportResult",
    "Item",
    "LabelList",
    "LabelsError",
    "LimitError",
    "Limits",
    "Manifest",
    "ManifestError",
    "MaskError",
    "MissingError",
    "Problem",
    "RepairError",
    "RepairResult",
    "ReportResult",
    "SegmentationDataset",
    "Storage",
    "StorageError",
    "UnknownColorError",
    "WorkerQualityResult",
    "WorkerResponses",
    "agreement",
    "check",
    "export",
    "import_labels",
    "overlay",
    "read_manifest",
    "repair",
    "report",
    "worker_quality",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
