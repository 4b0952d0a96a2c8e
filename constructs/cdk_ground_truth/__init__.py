"""AWS CDK construct for Ground Truth image semantic segmentation labeling jobs."""

from __future__ import annotations

from .adjustment import SemanticSegmentationAdjustmentJob
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
    "SemanticSegmentationAdjustmentJob",
    "SemanticSegmentationLabelingJob",
    "SemanticSegmentationVerificationJob",
    "StoppingConditions",
    "WorkerTemplate",
    "Workteam",
]
