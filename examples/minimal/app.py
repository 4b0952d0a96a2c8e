"""The smallest app: images, labels, work team; everything else has a default."""

from aws_cdk import App, Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

app = App()
stack = Stack(app, "Streets")
SemanticSegmentationLabelingJob(
    stack,
    "Job",
    images=Images.from_directory("photos"),
    labels=["road", "building", "pedestrian"],
    workteam=Workteam.from_workteam_arn(
        stack, "Team", "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
    ),
)
app.synth()
