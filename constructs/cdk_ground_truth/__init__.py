"""AWS CDK construct for Ground Truth image semantic segmentation labeling jobs."""

from .hardening import Hardening
from .images import Images
from .instructions import ExamplePicture, Instructions
from .job import SemanticSegmentationLabelingJob
from .labeling_job import ILabelingJob
from .metrics import GroundTruthMetrics
from .task import AutomatedLabeling, StoppingConditions
from .worker_template import WorkerTemplate
from .workteam import Workteam

__all__ = [
    "AutomatedLabeling",
    "ExamplePicture",
    "GroundTruthMetrics",
    "Hardening",
    "ILabelingJob",
    "Images",
    "Instructions",
    "SemanticSegmentationLabelingJob",
    "StoppingConditions",
    "WorkerTemplate",
    "Workteam",
]
