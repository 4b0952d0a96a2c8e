"""AWS CDK construct for Ground Truth image semantic segmentation labeling jobs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .adjustment import SemanticSegmentationAdjustmentJob
    from .campaign import SemanticSegmentationLabelingCampaign
    from .cost import CostCeiling, Prices, PriceTier
    from .earlier_labels import EarlierLabels
    from .hardening import Hardening
    from .images import Images
    from .instructions import ExamplePicture, Instructions
    from .job import SemanticSegmentationLabelingJob
    from .labeling_job import ILabelingJob
    from .metrics import GroundTruthMetrics
    from .only import Only
    from .preflight import Preflight
    from .runs import Runs
    from .task import AutomatedLabeling, StoppingConditions
    from .verification import SemanticSegmentationVerificationJob
    from .worker_template import WorkerTemplate
    from .workteam import Workteam

__all__ = [
    "AutomatedLabeling",
    "CostCeiling",
    "EarlierLabels",
    "ExamplePicture",
    "GroundTruthMetrics",
    "Hardening",
    "ILabelingJob",
    "Images",
    "Instructions",
    "Only",
    "Preflight",
    "PriceTier",
    "Prices",
    "Runs",
    "SemanticSegmentationAdjustmentJob",
    "SemanticSegmentationLabelingCampaign",
    "SemanticSegmentationLabelingJob",
    "SemanticSegmentationVerificationJob",
    "StoppingConditions",
    "WorkerTemplate",
    "Workteam",
]

#: Name → its module. A name is loaded when it is first asked for: `cdk-ground-truth check` lives in this
#: package too, and loading a construct starts Node, which a laptop that only checks a manifest may lack.
_HOMES: Final = {
    "AutomatedLabeling": "task",
    "CostCeiling": "cost",
    "EarlierLabels": "earlier_labels",
    "ExamplePicture": "instructions",
    "GroundTruthMetrics": "metrics",
    "Hardening": "hardening",
    "ILabelingJob": "labeling_job",
    "Images": "images",
    "Instructions": "instructions",
    "Only": "only",
    "Preflight": "preflight",
    "PriceTier": "cost",
    "Prices": "cost",
    "Runs": "runs",
    "SemanticSegmentationAdjustmentJob": "adjustment",
    "SemanticSegmentationLabelingCampaign": "campaign",
    "SemanticSegmentationLabelingJob": "job",
    "SemanticSegmentationVerificationJob": "verification",
    "StoppingConditions": "task",
    "WorkerTemplate": "worker_template",
    "Workteam": "workteam",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
