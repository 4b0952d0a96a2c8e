"""The app that the deploy tests deploy: what the construct's template uses, each once."""

from pathlib import Path

from aws_cdk import (
    App,
    CfnCondition,
    CfnMapping,
    CfnOutput,
    CustomResource,
    Duration,
    Fn,
    RemovalPolicy,
    Stack,
    Tags,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

app = App()
stack = Stack(app, "Probe")
Tags.of(stack).add("team", "vision")
mapping = CfnMapping(
    stack, "Regions", mapping={"us-east-1": {"acct": "432418664414"}, "eu-west-1": {"acct": "568282634449"}}
)
key = kms.Key(stack, "Key", removal_policy=RemovalPolicy.DESTROY)
bucket = s3.Bucket(
    stack,
    "Bucket",
    encryption=s3.BucketEncryption.KMS if app.node.try_get_context("kms") else s3.BucketEncryption.S3_MANAGED,
    encryption_key=key if app.node.try_get_context("kms") else None,
    enforce_ssl=True,
    versioned=True,
    block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
    removal_policy=RemovalPolicy.DESTROY,
    lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(30), prefix="tmp/")],
    cors=[s3.CorsRule(allowed_methods=[s3.HttpMethods.GET], allowed_origins=["*"])],
)
sns.Topic(stack, "Topic")
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
group = logs.LogGroup(
    stack, "Log", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
)
group.grant_write(role)
records = s3.Bucket(stack, "Records", removal_policy=RemovalPolicy.RETAIN)
records.grant_read_write(role)
function = lambda_.Function(
    stack,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_11,
    handler="index.handler",
    code=lambda_.Code.from_asset(str(Path(__file__).parent / "custom_resource")),
    role=role,
    log_group=group,
    timeout=Duration.seconds(30),
)
is_east = CfnCondition(stack, "IsEast", expression=Fn.condition_equals(stack.region, "us-east-1"))
has_account = CfnCondition(
    stack,
    "HasAccount",
    expression=Fn.condition_equals(mapping.find_in_map(stack.region, "acct"), "432418664414"),
)
joined = CfnCondition(
    stack, "Joined", expression=Fn.condition_equals(Fn.join("-", [stack.region, "x"]), "us-east-1-x")
)
custom = CustomResource(
    stack,
    "Custom",
    service_token=function.function_arn,
    service_timeout=Duration.seconds(60),
    resource_type="Custom::Probe",
    properties={
        "Records": records.bucket_name,
        "Account": mapping.find_in_map(stack.region, "acct"),
        "Flag": True,
        "Number": 3,
        "Version": app.node.try_get_context("version") or "1",
        "Fail": app.node.try_get_context("fail") or "false",
        "CrashTimes": app.node.try_get_context("crash") or "0",
    },
)
custom.node.add_dependency(role)
for name in ("Caller", "Denied", "Properties", "Log", "Home"):
    CfnOutput(stack, f"Out{name}", value=custom.get_att_string(name))
for name, value in {
    "BucketName": bucket.bucket_name,
    "RecordsName": records.bucket_name,
    "LogGroup": group.log_group_name,
}.items():
    CfnOutput(stack, f"Out{name}", value=value)
for name, condition in {"East": is_east, "Mapped": has_account, "Joint": joined}.items():
    CfnOutput(stack, f"Out{name}", value=Fn.condition_if(condition.logical_id, "yes", "no").to_string())
app.synth()
