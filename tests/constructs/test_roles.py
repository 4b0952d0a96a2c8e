"""The two roles: exactly what they may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from cdk_ground_truth import AutomatedLabeling, Preflight, SemanticSegmentationLabelingJob
from tests.constructs.conftest import Synthesized, role_of

ACCOUNT = "444455556666"
REGION = "eu-west-1"
JOBS = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/*"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Test/0"
INPUT, OUTPUT = (
    "arn:aws:s3:::cdkgroundtruthinputbucket61d60493",
    "arn:aws:s3:::cdkgroundtruthoutputbuckete68d8070",
)
ASSETS = f"arn:aws:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


def allowed(template, prefix):
    """(action, resource) → condition."""
    table: dict[Any, Any] = {}
    for statement in template.statements(prefix):
        assert statement["Effect"] == "Allow"
        actions, resources = (
            value if isinstance(value, list) else [value]
            for value in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            for resource in resources:
                table.setdefault((action, resource), []).append(statement.get("Condition"))
    return table


@pytest.mark.parametrize("minimized", [True, False])
def test_the_execution_role_may_do_the_least_of_the_guide(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    minimized: bool,
) -> None:
    stack = new_stack(context={"@aws-cdk/aws-iam:minimizePolicies": minimized})
    add_job(stack)
    template = synth(stack)
    request = template.delivered()["Request"]
    files = [request["LabelCategoryConfigS3Uri"], request["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"]]
    reads = [f"{INPUT}/inputs/test-job/*", *("arn:aws:s3:::" + uri.removeprefix("s3://") for uri in files)]
    writes = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
    logs = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/*"
    log_actions = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
    assert set(allowed(template, "JobExecutionRole")) == {
        *(("s3:GetObject", arn) for arn in reads),
        *((action, f"{OUTPUT}/labels/test-job-????????-????????/*") for action in writes),
        *((f"s3:{action}", arn) for action in ("GetBucketLocation", "ListBucket") for arn in (INPUT, OUTPUT)),
        ("s3:GetBucketLocation", ASSETS),
        ("cloudwatch:PutMetricData", "*"),
        *((f"logs:{action}", logs) for action in log_actions),
    }


def test_sagemaker_alone_assumes_it_for_this_account_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack)
    template = synth(stack)
    role = template.resources[role_of(template)]["Properties"]
    (trust,) = template.resolve(role["AssumeRolePolicyDocument"])["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}
    roles = template.of_type("AWS::IAM::Role").values()
    assert len(roles) == 2 and not any("ManagedPolicyArns" in each["Properties"] for each in roles)


def test_automated_labeling_passes_the_role_to_itself_and_trains_in_a_vpc(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    key = kms.Key(stack, "Key")
    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-1")
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    automated = AutomatedLabeling(volume_encryption_key=key, subnets=[subnet], security_groups=[group])
    add_job(stack, automated_labeling=automated)
    template = synth(stack)
    table = allowed(template, "JobExecutionRole")
    role = template.delivered()["Request"]["RoleArn"]
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert table["iam:PassRole", role] == [to_sagemaker]
    key_arn = template.resolve(stack.resolve(key.key_arn))
    assert table["kms:CreateGrant", key_arn] == [{"Bool": {"kms:GrantIsForAWSResource": "true"}}]
    assert ("ec2:CreateNetworkInterface", "*") in table


def test_the_handler_may_touch_this_stacks_jobs_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack, preflight=Preflight(enabled=False))
    template = synth(stack)
    table = allowed(template, "CdkGroundTruthHandlerRole")
    archive = "arn:aws:s3:::" + template.delivered()["Images"]["ArchiveS3Uri"].removeprefix("s3://")
    role = template.delivered()["Request"]["RoleArn"]
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:CdkGroundTruthHandlerLogsE822D713:*"
    new = {"StringEquals": {"aws:RequestTag/cdk-ground-truth:stack-id": STACK}}
    with_creation = {"StringEquals": {**new["StringEquals"], "sagemaker:TaggingAction": "CreateLabelingJob"}}
    own = {"StringEquals": {"aws:ResourceTag/cdk-ground-truth:stack-id": STACK}}
    proof = [f"cdk-ground-truth:{key}" for key in ("stack-id", "logical-id", "request-id")]
    but_the_proof = {
        **own,
        "ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": proof},
        "Null": {"aws:TagKeys": "false"},
    }
    assert table == {
        ("sagemaker:CreateLabelingJob", JOBS): [new],
        ("sagemaker:AddTags", JOBS): [with_creation, but_the_proof],
        ("sagemaker:StopLabelingJob", JOBS): [own],
        ("sagemaker:DeleteTags", JOBS): [but_the_proof],
        ("sagemaker:DescribeLabelingJob", JOBS): [None],
        ("sagemaker:ListTags", JOBS): [None],
        ("sagemaker:ListLabelingJobs", "*"): [None],
        ("iam:PassRole", role): [{"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}],
        ("s3:GetObject", archive): [None],
        ("s3:PutObject", f"{INPUT}/inputs/*"): [None],
        # What the job that an update puts in its place takes over.
        ("s3:GetObject", f"{OUTPUT}/labels/*/manifests/output/output.manifest"): [None],
        ("s3:ListBucket", OUTPUT): [None],
        ("s3:ListBucket", INPUT): [{"StringLike": {"s3:prefix": "inputs/*"}}],
        ("cloudformation:DescribeStacks", STACK): [None],
        ("cloudformation:DescribeStackResource", STACK): [None],
        ("logs:CreateLogStream", log): [None],
        ("logs:PutLogEvents", log): [None],
    }


def test_the_handlers_function(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack, task_time_limit=Duration.minutes(5))
    template = synth(stack)
    function = template.only("AWS::Lambda::Function")["Properties"]
    assert function["Handler"] == "labeling_job.entry.handler"
    assert function["Timeout"] == 900 and "Environment" not in function and "VpcConfig" not in function
    assert template.delivered()["ServiceTimeout"] == "3000"
    logs = template.only("AWS::Logs::LogGroup")
    assert logs["Properties"]["RetentionInDays"] == 365 and logs["DeletionPolicy"] == "Retain"
    code = next(path for path in template.directory.glob("asset.*") if (path / "labeling_job").is_dir())
    assert (code / "labeling_job" / "entry.py").is_file()
    assert not [path for path in code.rglob("*") if path.name == "__pycache__" or path.suffix == ".pyc"]
