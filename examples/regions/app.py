"""The same job in each of the twelve Regions that have Ground Truth."""

from pathlib import Path

from aws_cdk import App, Environment, Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

ACCOUNT = "111122223333"
REGIONS = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "us-east-1",
    "us-east-2",
    "us-west-2",
]


class Labeling(Stack):
    """A job with the work team of its Region."""

    def __init__(self, scope: App, construct_id: str, *, region: str) -> None:
        super().__init__(scope, construct_id, env=Environment(account=ACCOUNT, region=region))
        team = f"arn:aws:sagemaker:{region}:{ACCOUNT}:workteam/private-crowd/annotators"
        SemanticSegmentationLabelingJob(
            self,
            "Job",
            images=Images.from_directory(Path(__file__).parents[1] / "photos"),
            labels=["road", "building"],
            workteam=Workteam.from_workteam_arn(self, "Team", team),
            job_name_prefix="streets",
        )


app = App()
for region in REGIONS:
    Labeling(app, f"Labeling-{region}", region=region)
app.synth()
