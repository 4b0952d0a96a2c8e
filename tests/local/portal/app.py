"""Two labeling jobs over the same photographs: one worker an object, and three."""

from aws_cdk import App, CfnOutput, Stack

from cdk_ground_truth import Images, Instructions, SemanticSegmentationLabelingJob, Workteam

app = App()
stack = Stack(app, "Portal")
team = Workteam.from_workteam_arn(stack, "Team", app.node.get_context("workteam"))
for name, workers in (("Solo", 1), ("Vote", 3)):
    job = SemanticSegmentationLabelingJob(
        stack,
        name,
        images=Images.from_directory(app.node.get_context("photos")),
        labels=["cup", "spoon", "saucer", "table"],
        workteam=team,
        task_title=f"Breakfast, {name.lower()}",
        task_description="Paint the parts of a breakfast.",
        number_of_human_workers_per_data_object=workers,
        instructions=Instructions(
            header="Paint cup, spoon, saucer and table in this photograph.",
            short="Paint up to the edge of each object.\n\nLeave the cup out of the saucer.",
            full="Begin with the largest object.\n\nPolygons for straight edges, the brush for round ones.",
            full_header="How to paint a breakfast",
        ),
    )
    CfnOutput(stack, f"{name}Name", value=job.job_name)
    CfnOutput(stack, f"{name}Manifest", value=job.output_manifest_s3_uri)
app.synth()
