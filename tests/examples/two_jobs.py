"""Two jobs, each with a rule to a queue of its own; a context value changes the first."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

app = App()
stack = Stack(app, "Events")
team = Workteam.from_workteam_arn(stack, "Team", app.node.try_get_context("workteam"))
for name in ("A", "B"):
    queue = sqs.Queue(stack, f"Queue{name}")
    job = SemanticSegmentationLabelingJob(
        stack,
        name,
        images=Images.from_directory(app.node.try_get_context("photos")),
        labels=["road", "building"],
        workteam=team,
        task_title=(app.node.try_get_context("title") if name == "A" else None) or "First",
    )
    job.on_state_change("Ended", target=targets.SqsQueue(queue))
    CfnOutput(stack, f"Queue{name}Url", value=queue.queue_url)
    CfnOutput(stack, f"Job{name}", value=job.job_arn)
app.synth()
