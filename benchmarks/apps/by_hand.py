"""The same template written by hand with the CDK's L2s. Usage: by_hand.py N PHOTOS OUTDIR.

What a careful engineer writes who knows all the answers: no validation, names and texts pasted in.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App, Aws, CfnMapping, CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets

ROOT = Path(__file__).resolve().parents[2]
jobs, photos, outdir = int(sys.argv[1]), sys.argv[2], sys.argv[3]
app = App(outdir=outdir)
stack = Stack(app, "Streets")
TAG = "cdk-ground-truth:stack-id"
scratch = Path(tempfile.mkdtemp())
ACCOUNTS = {
    "ap-northeast-1": "477331159723",
    "ap-northeast-2": "845288260483",
    "ap-south-1": "565803892007",
    "ap-southeast-1": "377565633583",
    "ap-southeast-2": "454466003867",
    "ca-central-1": "918755190332",
    "eu-central-1": "203001061592",
    "eu-west-1": "568282634449",
    "eu-west-2": "487402164563",
    "us-east-1": "432418664414",
    "us-east-2": "266458841044",
    "us-west-2": "081040173940",
}


def bucket(name: str) -> s3.Bucket:
    return s3.Bucket(
        stack,
        name,
        encryption=s3.BucketEncryption.S3_MANAGED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        removal_policy=RemovalPolicy.RETAIN,
        cors=[
            s3.CorsRule(
                allowed_methods=[s3.HttpMethods.GET],
                allowed_origins=["*"],
                exposed_headers=["Access-Control-Allow-Origin"],
            )
        ],
    )


def allow(
    actions: list[str], resources: list[str], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions or {})


source, target = bucket("Input"), bucket("Output")
accounts = CfnMapping(stack, "Accounts", mapping={k: {"account": v} for k, v in ACCOUNTS.items()})
function = f"arn:aws:lambda:{Aws.REGION}:{accounts.find_in_map(Aws.REGION, 'account')}:function:"
handler_role = iam.Role(stack, "HandlerRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
log_group = logs.LogGroup(
    stack, "Logs", retention=logs.RetentionDays.ONE_YEAR, removal_policy=RemovalPolicy.RETAIN
)
handler = lambda_.Function(
    stack,
    "Handler",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="labeling_job.entry.handler",
    code=lambda_.Code.from_asset(str(ROOT / "lambda"), exclude=["**/__pycache__"]),
    role=handler_role,
    log_group=log_group,
    timeout=Duration.minutes(15),
    memory_size=1024,
)
any_job = f"arn:{Aws.PARTITION}:sagemaker:{Aws.REGION}:{Aws.ACCOUNT_ID}:labeling-job/*"
for actions, resources, conditions in (
    (
        ["sagemaker:CreateLabelingJob", "sagemaker:AddTags"],
        [any_job],
        {"StringEquals": {f"aws:RequestTag/{TAG}": Aws.STACK_ID}},
    ),
    (
        ["sagemaker:StopLabelingJob", "sagemaker:DeleteTags"],
        [any_job],
        {"StringEquals": {f"aws:ResourceTag/{TAG}": Aws.STACK_ID}},
    ),
    (["sagemaker:DescribeLabelingJob", "sagemaker:ListTags"], [any_job], None),
    (["sagemaker:ListLabelingJobs"], ["*"], None),
    (["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn], None),
    (["s3:GetObject", "s3:PutObject"], [source.arn_for_objects("inputs/*")], None),
    (["s3:ListBucket"], [source.bucket_arn], {"StringLike": {"s3:prefix": "inputs/*"}}),
):
    handler_role.add_to_policy(allow(actions, resources, conditions))
template = scratch / "template.html"
template.write_text((ROOT / "assets" / "worker-template.html").read_text())
categories = scratch / "categories.json"
team = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
names = ["road", "building", "pedestrian"]
categories.write_text(
    json.dumps({"document-version": "2018-11-28", "labels": [{"label": name} for name in names]})
)
page = assets.Asset(stack, "Template", path=str(template))
labels = assets.Asset(stack, "Categories", path=str(categories))

for index in range(jobs):
    archive = assets.Asset(stack, f"Photos{index}", path=photos)
    role = iam.Role(
        stack,
        f"Role{index}",
        assumed_by=iam.ServicePrincipal(
            "sagemaker.amazonaws.com",
            conditions={"StringEqualsIfExists": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        ),
        inline_policies={
            "Job": iam.PolicyDocument(
                statements=[
                    allow(["s3:GetObject"], [source.arn_for_objects(f"inputs/job{index}/*")]),
                    allow(
                        ["s3:GetObject"],
                        [a.bucket.arn_for_objects(a.s3_object_key) for a in (page, labels)],
                    ),
                    allow(
                        ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                        [target.arn_for_objects(f"labels/job{index}-*")],
                    ),
                    allow(["s3:ListBucket", "s3:GetBucketLocation"], [source.bucket_arn, target.bucket_arn]),
                    allow(["cloudwatch:PutMetricData"], ["*"]),
                    allow(
                        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                        [
                            f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:/aws/sagemaker/*"
                        ],
                    ),
                ]
            )
        },
    )
    handler_role.add_to_policy(
        allow(
            ["iam:PassRole"],
            [role.role_arn],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        )
    )
    handler_role.add_to_policy(
        allow(["s3:GetObject"], [archive.bucket.arn_for_objects(archive.s3_object_key)])
    )
    job = CustomResource(
        stack,
        f"Job{index}",
        resource_type="Custom::SemanticSegmentationLabelingJob",
        service_token=handler.function_arn,
        service_timeout=Duration.minutes(50),
        properties={
            "JobNamePrefix": f"job{index}",
            "Images": {
                "Source": "Directory",
                "ArchiveS3Uri": archive.s3_object_url,
                "StagingS3Uri": f"s3://{source.bucket_name}/inputs/job{index}/",
            },
            "Request": {
                "LabelAttributeName": f"job{index}-ref",
                "OutputConfig": {"S3OutputPath": f"s3://{target.bucket_name}/labels"},
                "RoleArn": role.role_arn,
                "LabelCategoryConfigS3Uri": labels.s3_object_url,
                "HumanTaskConfig": {
                    "WorkteamArn": team,
                    "UiConfig": {"UiTemplateS3Uri": page.s3_object_url},
                    "PreHumanTaskLambdaArn": f"{function}PRE-SemanticSegmentation",
                    "TaskTitle": "Semantic segmentation",
                    "TaskDescription": "Segment out each object of each category",
                    "NumberOfHumanWorkersPerDataObject": 3,
                    "TaskTimeLimitInSeconds": 3600,
                    "AnnotationConsolidationConfig": {
                        "AnnotationConsolidationLambdaArn": f"{function}ACS-SemanticSegmentation"
                    },
                },
            },
            "Tags": [],
        },
    )
    job.node.add_dependency(handler_role, role, source, target)
app.synth()
