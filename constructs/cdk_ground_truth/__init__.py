"""AWS CDK construct for Ground Truth image semantic segmentation labeling jobs."""

from __future__ import annotations

from .cost import CostCeiling, Prices, PriceTier
from .hardening import Hardening
from .images import Images
from .instructions import ExamplePicture, Instructions
from .job import SemanticSegmentationLabelingJob
from .labeling_job import ILabelingJob
from .metrics import GroundTruthMetrics
from .preflight import Preflight
from .task import AutomatedLabeling, StoppingConditions
from .worker_template import WorkerTemplate
from .workteam import Workteam

__all__ = [
    "AutomatedLabeling",
    "CostCeiling",
    "ExamplePicture",
    "GroundTruthMetrics",
    "Hardening",
    "ILabelingJob",
    "Images",
    "Instructions",
    "Preflight",
    "PriceTier",
    "Prices",
    "SemanticSegmentationLabelingJob",
    "StoppingConditions",
    "WorkerTemplate",
    "Workteam",
]
