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
    from .manifest import Manifest
    from .merging import Conflict, MergeResult, merge
    from .opening import read_manifest
    from .partial_answers import PartialResult, partial
    from .quality import WorkerQualityResult, worker_quality
    from .relabeling import RelabelResult, relabel
    from .repairs import RepairResult, repair
    from .reports import ReportResult, report
    from .responses import WorkerResponses
    from .storage import Storage
    from .torch_data import SegmentationDataset
    from .workers import AgreementResult, agreement

_HOMES = {
    "AgreementResult": "workers",
    "CheckResult": "checks",
    "Conflict": "merging",
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
    "MergeResult": "merging",
    "MissingError": "errors",
    "PartialResult": "partial_answers",
    "Problem": "checks",
    "RelabelResult": "relabeling",
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
    "merge": "merging",
    "overlay": "drawing",
    "partial": "partial_answers",
    "read_manifest": "opening",
    "relabel": "relabeling",
    "repair": "repairs",
    "report": "reports",
    "worker_quality": "quality",
}

__all__ = [
    "AgreementResult",
    "CheckResult",
    "Conflict",
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
    "MergeResult",
    "MissingError",
    "PartialResult",
    "Problem",
    "RelabelResult",
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
    "merge",
    "overlay",
    "partial",
    "read_manifest",
    "relabel",
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
