"""Tests of your own stack: deployed on the embedded AWS, labeled, and read back, in seconds.

The fixture `ground_truth` of the pytest plugin is a `GroundTruth`.
"""

from __future__ import annotations

from .app import AppError, synthesized
from .comparing import assert_same_mask
from .deploying import DeployFailed
from .results import JobRun, Run, Synthesized
from .runs import Failures, GroundTruth, Workers
from .snapshots import normalized

__all__ = [
    "AppError",
    "DeployFailed",
    "Failures",
    "GroundTruth",
    "JobRun",
    "Run",
    "Synthesized",
    "Workers",
    "assert_same_mask",
    "normalized",
    "synthesized",
]
