"""One job over a folder of photographs."""

from pathlib import Path

from aws_cdk import App, Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"

app = App()
stack = Stack(app, "Minimal")
SemanticSegmentationLabelingJob(
    stack,
    "Job",
    images=Images.from_directory(Path(__file__).parents[1] / "photos"),
    labels=["road", "building"],
    workteam=Workteam.from_workteam_arn(stack, "Team", app.node.try_get_context("workteam") or WORKTEAM),
)
app.synth()
