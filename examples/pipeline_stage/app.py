"""A labeling job as a stage of a CDK pipeline."""

from pathlib import Path

from aws_cdk import App, Environment, Stack, Stage, pipelines
from aws_cdk import aws_codecommit as codecommit
from constructs import Construct

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

ACCOUNT = "111122223333"
TEAM = "arn:aws:sagemaker:{region}:{account}:workteam/private-crowd/annotators"


class Labeling(Stage):
    """What is deployed to each environment."""

    def __init__(self, scope: Construct, construct_id: str, *, account: str, region: str) -> None:
        super().__init__(scope, construct_id, env=Environment(account=account, region=region))
        stack = Stack(self, "Streets")
        SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_directory(Path(__file__).parents[1] / "photos"),
            labels=["road", "building"],
            workteam=Workteam.from_workteam_arn(stack, "Team", TEAM.format(account=account, region=region)),
        )


class Pipeline(Stack):
    """Synthesizes the app anew after each push, and deploys it."""

    def __init__(self, scope: Construct, construct_id: str, *, env: Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        repository = codecommit.Repository.from_repository_name(self, "Repository", "labeling")
        pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            synth=pipelines.ShellStep(
                "Synth",
                input=pipelines.CodePipelineSource.code_commit(repository, "main"),
                commands=["npm ci", "pip install -r requirements.txt", "npx cdk synth"],
            ),
            cross_account_keys=True,
        )
        pipeline.add_stage(
            Labeling(self, "Production", account=ACCOUNT, region="eu-west-1"),
            # A job costs money from the moment that it is deployed.
            pre=[pipelines.ManualApprovalStep("PayForLabels")],
        )


app = App()
Pipeline(app, "LabelingPipeline", env=Environment(account=ACCOUNT, region="eu-west-1"))
app.synth()
