"""Label, let others verify, adjust what they rejected: three jobs of one stack, deployed one after the other.

A job begins when the one before has ended, so each is a deploy of its own: `-c stage=label`, then
`-c stage=verify`, then `-c stage=adjust`. What is there already stays as it is, and nothing is bought twice.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from constructs import Construct

from cdk_ground_truth import (
    Images,
    Only,
    SemanticSegmentationAdjustmentJob,
    SemanticSegmentationLabelingJob,
    SemanticSegmentationVerificationJob,
    Workteam,
)

WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
PHOTOS = Path(__file__).parents[1] / "photos"
STAGES = ("label", "verify", "adjust")


class Streets(Stack):
    """Photographs, their labels, what was said of these, and the corrected ones."""

    def __init__(
        self, scope: Construct, construct_id: str, *, photos: str, workteam: str, stage: str
    ) -> None:
        super().__init__(scope, construct_id)
        team = Workteam.from_workteam_arn(self, "Team", workteam)
        labels = SemanticSegmentationLabelingJob(
            self,
            "Labels",
            images=Images.from_directory(photos),
            labels=["road", "building"],
            workteam=team,
            label_attribute_name="streets-ref",
        )
        CfnOutput(self, "LabelsManifest", value=labels.output_manifest_s3_uri)
        if stage == "label":
            return
        verdicts = SemanticSegmentationVerificationJob(
            self,
            "Verdicts",
            of=labels,
            verdicts=["right", "wrong"],
            workteam=team,
            label_attribute_name="verdict",
        )
        CfnOutput(self, "VerdictsManifest", value=verdicts.output_manifest_s3_uri)
        if stage == "verify":
            return
        # Workers start from the mask that was rejected; all others are left alone.
        adjusted = SemanticSegmentationAdjustmentJob(
            self,
            "Adjusted",
            of=verdicts,
            only=Only(verdicts=["wrong"]),
            workteam=team,
            label_attribute_name="adjusted-ref",
        )
        CfnOutput(self, "AdjustedManifest", value=adjusted.output_manifest_s3_uri)


app = App()
stage = app.node.try_get_context("stage") or STAGES[0]
if stage not in STAGES:
    raise SystemExit(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")
Streets(
    app,
    "Streets",
    photos=app.node.try_get_context("photos") or str(PHOTOS),
    workteam=app.node.try_get_context("workteam") or WORKTEAM,
    stage=stage,
)
app.synth()
