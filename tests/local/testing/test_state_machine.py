"""A stack as peers write it: a state machine makes a job, waits for it, and branches on its counters.

The form is that of awslabs/aiops-modules' and MDAA's Ground Truth stacks, whose states go on where
`LabelCounters.TotalLabeled` is above 0; they poll, and this one waits with `.sync`.
"""

from __future__ import annotations

import json
import time

import pytest
from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from ground_truth_local.testing import Workers

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("testing")]

FUNCTIONS = "arn:aws:lambda:us-east-1:432418664414:function"
TEMPLATE = b"""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-semantic-segmentation name="crowd-semantic-segmentation" header="Paint"
src="{{ task.input.taskObject | grant_read_access }}" labels="{{ task.input.labels | to_json | escape }}">
<full-instructions header="How">x</full-instructions><short-instructions>y</short-instructions>
</crowd-semantic-segmentation></crowd-form>"""
CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["Access-Control-Allow-Origin"]}


@pytest.fixture
def bucket(ground_truth):
    """Photographs, a manifest, a template and a category file, as peers keep them in one bucket."""
    s3, name = ground_truth.aws.session().client("s3"), f"peers-{time.monotonic_ns()}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [CORS]})
    labels = [{"label": "road"}, {"label": "sky"}]
    files = {
        "photo.png": picture(),
        "in.manifest": json.dumps({"source-ref": f"s3://{name}/photo.png"}).encode(),
        "template.liquid": TEMPLATE,
        "labels.json": json.dumps({"document-version": "2018-11-28", "labels": labels}).encode(),
    }
    for key, body in files.items():
        s3.put_object(Bucket=name, Key=key, Body=body)
    return name


def picture():
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).save(made, "PNG")
    return made.getvalue()


def app(bucket, team):
    def build(root) -> None:
        stack = Stack(root, "Peers")
        labels = iam.Role(stack, "Labels", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        objects = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        labels.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"],
                resources=objects,
            )
        )
        request = {
            "LabelingJobName.$": "$$.Execution.Name",
            "LabelAttributeName": "peers-ref",
            "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{bucket}/in.manifest"}}},
            "OutputConfig": {"S3OutputPath": f"s3://{bucket}/out"},
            "RoleArn": labels.role_arn,
            "LabelCategoryConfigS3Uri": f"s3://{bucket}/labels.json",
            "HumanTaskConfig": {
                "WorkteamArn": team,
                "UiConfig": {"UiTemplateS3Uri": f"s3://{bucket}/template.liquid"},
                "PreHumanTaskLambdaArn": f"{FUNCTIONS}:PRE-SemanticSegmentation",
                "TaskTitle": "Paint",
                "TaskDescription": "Paint it",
                "NumberOfHumanWorkersPerDataObject": 1,
                "TaskTimeLimitInSeconds": 3600,
                "AnnotationConsolidationConfig": {
                    "AnnotationConsolidationLambdaArn": f"{FUNCTIONS}:ACS-SemanticSegmentation"
                },
            },
        }
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createLabelingJob.sync",
            "Parameters": request,
        }
        labeled = {"Variable": "$.LabelCounters.TotalLabeled", "NumericGreaterThan": 0, "Next": "Labeled"}
        states = {
            "Label": {**task, "Next": "AnythingLabeled"},
            "AnythingLabeled": {"Type": "Choice", "Choices": [labeled], "Default": "NothingLabeled"},
            "Labeled": {"Type": "Pass", "Parameters": {"went": "labeled"}, "End": True},
            "NothingLabeled": {"Type": "Pass", "Parameters": {"went": "nothing"}, "End": True},
        }
        definition = stack.to_json_string({"StartAt": "Label", "States": states})
        machine = sfn.StateMachine(
            stack, "Machine", definition_body=sfn.DefinitionBody.from_string(definition)
        )
        machine.add_to_role_policy(
            iam.PolicyStatement(
                actions=["sagemaker:CreateLabelingJob", "sagemaker:DescribeLabelingJob", "sagemaker:AddTags"],
                resources=["*"],
            )
        )
        machine.add_to_role_policy(iam.PolicyStatement(actions=["iam:PassRole"], resources=[labels.role_arn]))
        CfnOutput(stack, "Arn", value=machine.state_machine_arn)

    return build


@pytest.mark.parametrize(
    ("workers", "went"),
    [(Workers(), "labeled"), (Workers(declines=["*"]), "nothing")],
    ids=["labels", "declines"],
)
def test_a_peers_state_machine_ends_as_on_aws(ground_truth, bucket, workers, went: str) -> None:
    team = ground_truth.workteam("annotators")
    run = ground_truth.run(app(bucket, team), workers=workers)
    states = ground_truth.aws.session().client("stepfunctions")
    begun = states.start_execution(stateMachineArn=run.outputs["Peers"]["Arn"], input="{}")
    deadline = time.monotonic() + 60
    while (found := states.describe_execution(executionArn=begun["executionArn"]))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert found["status"] == "SUCCEEDED", found.get("cause")
    assert json.loads(found["output"]) == {"went": went}
