"""N labeling jobs in one stack, with the library. Usage: ours.py N PHOTOS OUTDIR."""

import sys

from aws_cdk import App, Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

jobs, photos, outdir = int(sys.argv[1]), sys.argv[2], sys.argv[3]
app = App(outdir=outdir)
stack = Stack(app, "Streets")
arn = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
team = Workteam.from_workteam_arn(stack, "Team", arn)
for index in range(jobs):
    SemanticSegmentationLabelingJob(
        stack,
        f"Job{index}",
        images=Images.from_directory(photos),
        labels=["road", "building", "pedestrian"],
        workteam=team,
    )
app.synth()
