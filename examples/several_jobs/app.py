"""Several jobs in one stack: they share the handler and the output bucket."""

from aws_cdk import App, CfnOutput, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, StoppingConditions, Workteam

WORKTEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
LABELS = {"streets": ["road", "building", "pedestrian"], "fields": ["crop", "weed"]}

app = App()
stack = Stack(app, "SeveralJobs")
team = Workteam.from_workteam_arn(stack, "Team", app.node.try_get_context("workteam") or WORKTEAM)
photos = s3.Bucket.from_bucket_name(stack, "Photos", app.node.try_get_context("photos") or "my-photos")
dashboard = cloudwatch.Dashboard(stack, "Dashboard")

for name, labels in LABELS.items():
    job = SemanticSegmentationLabelingJob(
        stack,
        name.title(),
        images=Images.from_bucket(photos, prefix=f"{name}/"),
        labels=labels,
        workteam=team,
        job_name_prefix=name,
        task_title=f"Paint {name}",
        # A ceiling on what it may cost.
        stopping_conditions=StoppingConditions(max_human_labeled_object_count=500),
    )
    Tags.of(job).add("data-set", name)
    dashboard.add_widgets(*job.dashboard_widgets())
    job.alarm_failed("Failed")
    CfnOutput(stack, f"{name.title()}Job", value=job.job_name)
app.synth()
