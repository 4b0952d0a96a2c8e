"""A job with buckets, key and role of the app's own."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"


class OwnResources(Stack):
    """Everything that a job would make for itself is made here."""

    def __init__(self, scope: App, construct_id: str, *, workteam_arn: str) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key", enable_key_rotation=True)
        buckets = [
            s3.Bucket(
                self,
                name,
                encryption_key=key,
                enforce_ssl=True,
                versioned=True,
                block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            )
            for name in ("Staging", "Labels")
        ]
        role = iam.Role(self, "LabelingRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        job = SemanticSegmentationLabelingJob(
            self,
            "Job",
            images=Images.from_directory(Path(__file__).parents[1] / "photos"),
            labels=["road", "building"],
            workteam=Workteam.from_workteam_arn(self, "Team", workteam_arn),
            # It gets CORS, so that workers' browsers can read it.
            input_bucket=buckets[0],
            output_bucket=buckets[1],
            output_prefix="street-masks",
            # Encrypts the labels; the role may use it.
            encryption_key=key,
            # It gets the permissions that the job needs.
            role=role,
        )
        CfnOutput(self, "JobName", value=job.job_name)


app = App()
OwnResources(app, "OwnResources", workteam_arn=app.node.try_get_context("workteam") or WORKTEAM)
app.synth()
