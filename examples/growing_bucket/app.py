"""A bucket that grows: labeled every night, and a model trained when enough labels are new."""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, Runs, SemanticSegmentationLabelingCampaign, Workteam

WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
NEW_LABELS = 500
# A stand-in for the training: it keeps how many labels the last model has seen. Runs of few labels add up.
TRAIN = """
import boto3, json, os

def handler(event, context):
    s3, place = boto3.client("s3"), {"Bucket": os.environ["MODELS"], "Key": "models/latest.json"}
    try:
        seen = json.load(s3.get_object(**place)["Body"])["labels"]
    except s3.exceptions.NoSuchKey:
        seen = 0
    labels, manifest = event["detail"]["labels"], event["detail"]["datasetManifest"]
    if labels - seen < int(os.environ["NEW_LABELS"]):
        return {"trained": False, "new": labels - seen}
    s3.put_object(**place, Body=json.dumps({"labels": labels, "manifest": manifest}))
    return {"trained": True, "new": labels - seen}
"""

app = App()
stack = Stack(app, "GrowingBucket")
photos = s3.Bucket.from_bucket_name(
    stack, "Photos", app.node.try_get_context("photos") or "photos-of-the-fleet"
)
labels = s3.Bucket(
    stack, "Labels", enforce_ssl=True, versioned=True, block_public_access=s3.BlockPublicAccess.BLOCK_ALL
)
campaign = SemanticSegmentationLabelingCampaign(
    stack,
    "Campaign",
    images=Images.from_bucket(photos, prefix="incoming/"),
    labels=["road", "building", "pedestrian"],
    workteam=Workteam.from_workteam_arn(stack, "Team", app.node.try_get_context("workteam") or WORKTEAM),
    output_bucket=labels,
    images_per_job=2_000,
    runs=Runs.on_schedule(events.Schedule.cron(hour="1", minute="0")),
)
train = lambda_.Function(
    stack,
    "Train",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline(TRAIN),
    timeout=Duration.minutes(5),
    environment={"MODELS": labels.bucket_name, "NEW_LABELS": str(NEW_LABELS)},
)
labels.grant_read_write(train, "models/*")
campaign.grant_read_labels(train)
campaign.on_completed("StartTraining", target=targets.LambdaFunction(train))
campaign.dashboard("Dashboard")
campaign.alarm_failed("RunFailed")
campaign.alarm_nothing_labeled("Idle", within=Duration.hours(12))
app.synth()
