"""AWS CDK construct for Ground Truth image semantic segmentation labeling jobs."""

from .images import Images
from .instructions import ExamplePicture, Instructions
from .job import SemanticSegmentationLabelingJob
from .task import AutomatedLabeling, StoppingConditions
from .worker_template import WorkerTemplate
from .workteam import Workteam

__all__ = [
    "AutomatedLabeling",
    "ExamplePicture",
    "Images",
    "Instructions",
    "SemanticSegmentationLabelingJob",
    "StoppingConditions",
    "WorkerTemplate",
    "Workteam",
]
