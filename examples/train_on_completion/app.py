"""Labels in one stack, training in another: EventBridge starts a state machine when the job is complete."""

from pathlib import Path

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
# A stand-in for the training: counts what there is to train on.
TRAIN = """
import boto3, json

def handler(event, context):
    bucket, _, key = event["manifest"].removeprefix("s3://").partition("/")
    s3 = boto3.client("s3")
    lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
    labeled = sum(event["attribute"] in json.loads(line) for line in lines)
    s3.put_object(Bucket=bucket, Key="models/latest.json", Body=json.dumps({"labeled": labeled}))
    return {"labeled": labeled}
"""


class Storage(Stack):
    """Where the labels are; both other stacks know it, so neither has to know the other."""

    def __init__(self, scope: App, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self, "Labels", enforce_ssl=True, block_public_access=s3.BlockPublicAccess.BLOCK_ALL
        )


class Training(Stack):
    """What happens with finished labels."""

    def __init__(self, scope: App, construct_id: str, *, bucket: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        self.train = lambda_.Function(
            self,
            "Train",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(TRAIN),
            timeout=Duration.minutes(5),
        )
        bucket.grant_put(self.train, "models/*")
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(
                tasks.LambdaInvoke(self, "TrainModel", lambda_function=self.train, payload_response_only=True)
            ),
        )


class Labeling(Stack):
    """The job, and the rule that starts the training."""

    def __init__(
        self, scope: App, construct_id: str, *, bucket: s3.IBucket, training: Training, workteam_arn: str
    ) -> None:
        super().__init__(scope, construct_id)
        job = SemanticSegmentationLabelingJob(
            self,
            "Job",
            images=Images.from_directory(Path(__file__).parents[1] / "photos"),
            labels=["road", "building"],
            workteam=Workteam.from_workteam_arn(self, "Team", workteam_arn),
            output_bucket=bucket,
        )
        # Below the bucket of the third stack: nothing here refers to the job, which stays replaceable.
        job.grant_read_labels(training.train)
        job.on_completed(
            "StartTraining",
            target=targets.SfnStateMachine(
                training.machine,
                input=events.RuleTargetInput.from_object(
                    {"manifest": job.output_manifest_s3_uri, "attribute": job.label_attribute_name}
                ),
            ),
        )


app = App()
storage = Storage(app, "Storage")
training = Training(app, "Training", bucket=storage.bucket)
Labeling(
    app,
    "Labeling",
    bucket=storage.bucket,
    training=training,
    workteam_arn=app.node.try_get_context("workteam") or WORKTEAM,
)
app.synth()
