"""The demo app: one labeling job over a directory of photos.

cdk deploy -c photos=photos -c workteam=arn:aws:sagemaker:…:workteam/private-crowd/… -c labels=road,building
"""

import sys
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

USAGE = "cdk deploy -c photos=DIRECTORY -c workteam=ARN [-c labels=road,building,pedestrian] [-c workers=3]"


def main() -> None:
    """Synthesize the app from its context values."""
    app = App()
    photos = Path(app.node.try_get_context("photos") or "photos")
    workteam = app.node.try_get_context("workteam")
    labels = str(app.node.try_get_context("labels") or "road,building,pedestrian").split(",")
    workers = int(app.node.try_get_context("workers") or 3)
    if not photos.is_dir():
        sys.exit(f"No directory {str(photos)!r}: say where your photos are.\n  {USAGE}")
    if not workteam:
        sys.exit(
            f"No work team: give the ARN of a private or vendor one.\n  {USAGE}\n"
            "Without an AWS account, `make demo` does it all on this machine."
        )

    # No env: the same app deploys to whatever account and Region the CLI's credentials are for.
    stack = Stack(app, "GroundTruthDemo", description="A Ground Truth semantic segmentation labeling job")
    job = SemanticSegmentationLabelingJob(
        stack,
        "Job",
        images=Images.from_directory(photos),
        labels=[label.strip() for label in labels],
        workteam=Workteam.from_workteam_arn(stack, "Team", workteam),
        number_of_human_workers_per_data_object=workers,
        job_name_prefix="demo",
    )
    for name, value in {
        "JobName": job.job_name,
        "OutputManifest": job.output_manifest_s3_uri,
        "OutputS3Uri": job.output_s3_uri,
        "OutputBucket": job.output_bucket.bucket_name,
        "InputBucket": job.input_bucket.bucket_name if job.input_bucket else "",
        "LabelAttributeName": job.label_attribute_name,
        "HandlerLogGroup": job.log_group.log_group_name,
        "PreflightWarnings": job.preflight_warnings,
    }.items():
        CfnOutput(stack, name, value=value)
    app.synth()


if __name__ == "__main__":
    main()
