"""N labeling jobs in one stack, with the library. Usage: ours.py N PHOTOS OUTDIR [STACK].

An empty OUTDIR leaves it to the CDK CLI.
"""

from __future__ import annotations

import sys

from aws_cdk import App, Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

jobs, photos, outdir, name = int(sys.argv[1]), sys.argv[2], sys.argv[3], (*sys.argv[4:], "Streets")[0]
app = App(outdir=outdir or None)
stack = Stack(app, name)
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
