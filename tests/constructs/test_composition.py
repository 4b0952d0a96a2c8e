"""Everything that an app does to constructs; `docs/composition.md` lists these tests in a table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    CfnElement,
    CfnParameter,
    CliCredentialsStackSynthesizer,
    DefaultStackSynthesizer,
    Duration,
    Environment,
    IAspect,
    NestedStack,
    PermissionsBoundary,
    ReferenceStrength,
    RemovalPolicies,
    Stack,
    Stage,
    Tags,
    Token,
)
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template

from cdk_ground_truth import (
    CostCeiling,
    Hardening,
    Images,
    Preflight,
    Prices,
    PriceTier,
    SemanticSegmentationLabelingJob,
    StoppingConditions,
    Workteam,
)
from cdk_ground_truth.assertions import evaluate, labeling_job, policy_statements
from tests.constructs.conftest import role_of

JOB = "Custom::SemanticSegmentationLabelingJob"
BOUNDARY = "arn:aws:iam::444455556666:policy/boundary"


@pytest.fixture
def app(tmp_path: Path):
    return App(outdir=str(tmp_path / "app"))


def roles(template):
    return template.find_resources("AWS::IAM::Role").values()


def logical_id(stack: Stack, key: kms.Key) -> str:
    resource = key.node.default_child
    assert isinstance(resource, CfnElement)
    return str(stack.get_logical_id(resource))


def test_tags_of_the_app_reach_the_job(app, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    stack = Stack(app, "Test")
    add_job(stack)
    Tags.of(app).add("cost-center", "42")
    assert labeling_job(Template.from_stack(stack)).tags == {"cost-center": "42"}


@pytest.mark.parametrize("of_a_stage", [False, True])
def test_permissions_boundaries_apply_to_all_roles(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob], of_a_stage: bool
) -> None:
    boundary = PermissionsBoundary.from_arn(BOUNDARY) if of_a_stage else None
    stack = Stack(Stage(app, "Prod", permissions_boundary=boundary), "Test")
    add_job(stack)
    if not of_a_stage:
        policy = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", BOUNDARY)
        iam.PermissionsBoundary.of(stack).apply(policy)
    found = [each["Properties"]["PermissionsBoundary"] for each in roles(Template.from_stack(stack))]
    assert found == [BOUNDARY, BOUNDARY]


def test_a_removal_policy_aspect_reaches_the_buckets(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = Stack(app, "Test")
    add_job(stack)
    RemovalPolicies.of(stack).destroy()
    for kind in ("AWS::S3::Bucket", "AWS::Logs::LogGroup"):
        for resource in Template.from_stack(stack).find_resources(kind).values():
            assert resource["DeletionPolicy"] == "Delete"


def test_an_aspect_of_the_users_own_sees_and_changes_all(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    @jsii.implements(IAspect)
    class ShortLogs:
        def visit(self, node) -> None:
            if isinstance(node, logs.CfnLogGroup):
                node.retention_in_days = 30

    stack = Stack(app, "Test")
    add_job(stack)
    Aspects.of(app).add(ShortLogs())
    Template.from_stack(stack).has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})


def test_a_qualifier_and_a_bucket_of_the_bootstrap_reach_uris_and_policies(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    synthesizer = DefaultStackSynthesizer(qualifier="acme", file_assets_bucket_name="acme-assets")
    stack = Stack(app, "Test", synthesizer=synthesizer)
    add_job(stack)
    job = labeling_job(Template.from_stack(stack))
    uri = job.request["LabelCategoryConfigS3Uri"]
    assert uri.startswith("s3://acme-assets/")
    arn = "arn:aws:s3:::" + uri.removeprefix("s3://")
    read = next(
        each for each in policy_statements(Template.from_stack(stack)) if each.get("Sid") == "ReadInput"
    )
    assert arn in read["Resource"]


def test_another_synthesizer(app, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    stack = Stack(app, "Test", synthesizer=CliCredentialsStackSynthesizer())
    add_job(stack)
    assert (
        labeling_job(Template.from_stack(stack)).request["LabelCategoryConfigS3Uri"].startswith("s3://cdk-")
    )


def test_a_nested_stack_has_a_handler_of_its_own(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    parent = Stack(app, "Test")
    nested = NestedStack(parent, "Nested")
    job = add_job(nested)
    # And its attributes come back to the parent.
    lambda_.Function(
        parent,
        "Use",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        environment={"JOB": job.job_name},
    )
    assert len(Template.from_stack(nested).find_resources(JOB)) == 1
    text = json.dumps(Template.from_stack(parent).find_resources("AWS::Lambda::Function"))
    assert re.search(r"Outputs\.\w*Ref", text)


def test_a_stage_publishes_its_assets_in_its_own_manifest(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stage = Stage(app, "Prod", env=Environment(account="444455556666", region="eu-west-1"))
    stack = Stack(stage, "Streets")
    add_job(stack)
    assembly = stage.synth()
    job = labeling_job(assembly.get_stack_artifact(stack.artifact_id).template)
    [assets] = Path(assembly.directory).glob("*.assets.json")
    files = json.loads(assets.read_text())["files"]
    assert job.request["LabelCategoryConfigS3Uri"].rpartition("/")[2].partition(".")[0] in files
    assert all((Path(assembly.directory) / each["source"]["path"]).exists() for each in files.values())


def test_a_cross_stack_reference_to_a_bucket(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    home, stack = Stack(app, "Home"), Stack(app, "Test")
    bucket = s3.Bucket(home, "Photos")
    add_job(stack, images=Images.from_bucket(bucket))
    assert "ExportsOutput" in json.dumps(Template.from_stack(home).to_json()["Outputs"])
    Template.from_stack(stack).has_resource_properties(
        JOB, {"Images": Match.object_like({"ImagesS3Uri": Match.any_value()})}
    )


def test_a_cross_region_reference_to_an_attribute(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    env = {"account": "444455556666"}
    there = Stack(app, "There", env=Environment(region="eu-west-1", **env), cross_region_references=True)
    here = Stack(app, "Here", env=Environment(region="us-east-1", **env), cross_region_references=True)
    job = add_job(there)
    topic = sns.Topic(here, "Topic", display_name=job.job_name)
    assert topic.node.scope is here
    here.add_dependency(there)
    app.synth()
    assert "Custom::CrossRegionExportWriter" in json.dumps(Template.from_stack(there).to_json())


def test_a_weak_reference_leaves_the_job_replaceable(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    env = Environment(account="444455556666", region="eu-west-1")
    there, here = Stack(app, "There", env=env), Stack(app, "Here", env=env)
    name = Stack.consume_reference(add_job(there).job_name, ReferenceStrength.WEAK)
    sns.Topic(here, "Topic", display_name=name)
    assert "Fn::ImportValue" not in json.dumps(Template.from_stack(here).to_json())


@pytest.mark.parametrize("given", ["name", "parameter", "arn"])
def test_imported_buckets(app, add_job: Callable[..., SemanticSegmentationLabelingJob], given: str) -> None:
    stack = Stack(app, "Test")
    if given == "name":
        bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    elif given == "parameter":
        parameter = CfnParameter(stack, "BucketName", default="given")
        bucket = s3.Bucket.from_bucket_name(stack, "Given", parameter.value_as_string)
    else:
        bucket = s3.Bucket.from_bucket_arn(stack, "Given", "arn:aws:s3:::given")
    add_job(stack, images=Images.from_bucket(bucket, prefix="p/"), output_bucket=bucket, input_bucket=bucket)
    template = Template.from_stack(stack)
    assert labeling_job(template).request["OutputConfig"]["S3OutputPath"] == "s3://given/labels"
    assert not template.find_resources("AWS::S3::Bucket")
    Annotations.from_stack(stack).has_warning("/Test/Job", Match.string_like_regexp("put-bucket-cors"))


def test_a_role_without_policy_updates_stays_as_it_is(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = Stack(app, "Test")
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    add_job(stack, role=role.without_policy_updates())
    template = Template.from_stack(stack)
    policies = template.find_resources("AWS::IAM::Policy")
    assert not [name for name in policies if name.startswith(("Mine", "JobRolePolicy"))]
    assert labeling_job(template).request["RoleArn"].startswith("<Mine")


@pytest.mark.parametrize("imported", [False, True])
def test_a_key_from_elsewhere(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob], imported: bool
) -> None:
    home, stack = Stack(app, "Home"), Stack(app, "Test")
    arn = "arn:aws:kms:us-east-1:444455556666:key/11111111-2222-3333-4444-555555555555"
    key = kms.Key.from_key_arn(stack, "Key", arn) if imported else kms.Key(home, "Key")
    add_job(stack, encryption_key=key)
    template = Template.from_stack(stack)
    used = labeling_job(template).request["OutputConfig"]["KmsKeyId"]
    assert re.fullmatch(re.escape(arn) if imported else r"<Home:ExportsOutputFnGetAttKey\w+>", used)
    granted = [each for each in policy_statements(template) if "kms:Encrypt" in each["Action"]]
    assert [each["Resource"] for each in granted] == [used]


def test_encrypted_messages(app, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    stack = Stack(app, "Test")
    topic_key, queue_key = kms.Key(stack, "TopicKey"), kms.Key(stack, "QueueKey")
    Hardening(dead_letter_queue=sqs.Queue(stack, "Dead", encryption_master_key=queue_key)).apply_to(stack)
    add_job(stack, output_topic=sns.Topic(stack, "Labeled", master_key=topic_key))
    job_role = role_of(Template.from_stack(stack).to_json()["Resources"])
    found = {
        (each["Resource"], role)
        for role in (job_role, "CdkGroundTruthHandlerRole3043096D")
        for each in policy_statements(Template.from_stack(stack), role)
        if each["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    }
    assert found == {
        (f"<{logical_id(stack, topic_key)}.Arn>", job_role),
        (f"<{logical_id(stack, queue_key)}.Arn>", "CdkGroundTruthHandlerRole3043096D"),
    }


def test_vpc_and_the_rest_of_the_hardening(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = Stack(app, "Test", env=Environment(account="444455556666", region="eu-west-1"))
    Hardening(
        vpc=ec2.Vpc(stack, "Vpc", nat_gateways=0),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        reserved_concurrent_executions=5,
        dead_letter_queue=sqs.Queue(stack, "Dead"),
        log_retention=logs.RetentionDays.TEN_YEARS,
        log_encryption_key=kms.Key(stack, "LogKey"),
        environment_encryption_key=kms.Key(stack, "EnvironmentKey"),
        server_access_logs_bucket=s3.Bucket(stack, "Access"),
    ).apply_to(stack)
    add_job(stack)
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "ReservedConcurrentExecutions": 5,
            "DeadLetterConfig": Match.any_value(),
            "VpcConfig": {"SubnetIds": Match.any_value(), "SecurityGroupIds": Match.any_value()},
            "KmsKeyArn": Match.any_value(),
        },
    )
    template.has_resource_properties(
        "AWS::Logs::LogGroup", {"RetentionInDays": 3653, "KmsKeyId": Match.any_value()}
    )
    buckets = template.find_resources("AWS::S3::Bucket").values()
    logged = [each["Properties"].get("LoggingConfiguration", {}).get("LogFilePrefix") for each in buckets]
    assert sorted(filter(None, logged)) == ["InputBucket/", "OutputBucket/"]
    with pytest.raises(ValueError, match="be applied before the stack's first labeling job"):
        Hardening().apply_to(stack)


def test_tokens_where_they_may_be(app, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    stack = Stack(app, "Test")
    text = CfnParameter(stack, "Text", default="streets").value_as_string
    number: Any = CfnParameter(stack, "Number", type="Number", default=4).value_as_number
    bucket = s3.Bucket.from_bucket_name(stack, "Given", text)
    add_job(
        stack,
        task_title=text,
        task_description=text,
        task_keywords=[text],
        content_classifiers=[text],
        label_attribute_name=f"{text}-ref",
        number_of_human_workers_per_data_object=Token.as_number(number),
        max_concurrent_task_count=number,
        stopping_conditions=StoppingConditions(
            max_human_labeled_object_count=number, max_percentage_of_input_dataset_labeled=number
        ),
        task_time_limit=Duration.seconds(number),
        task_availability_lifetime=Duration.seconds(number),
        tags={"key": text},
        workteam=Workteam.from_workteam_arn(stack, "Crew", text),
        images=Images.from_bucket(bucket, prefix=text, sample=number),
        cost_ceiling=CostCeiling(max_objects=number, max_tasks=number),
    )
    job = labeling_job(Template.from_stack(stack))
    assert job.request["LabelAttributeName"] == "streets-ref"
    assert job.request["InputConfig"]["DataAttributes"] == {"ContentClassifiers": ["streets"]}
    assert set(job.request["StoppingConditions"].values()) == {4}
    task = job.request["HumanTaskConfig"]
    assert {task[name] for name in ("TaskTitle", "TaskDescription", "WorkteamArn")} == {"streets"}
    assert task["TaskKeywords"] == ["streets"]
    numbers = (
        "MaxConcurrentTaskCount",
        "NumberOfHumanWorkersPerDataObject",
        "TaskAvailabilityLifetimeInSeconds",
        "TaskTimeLimitInSeconds",
    )
    assert {task[name] for name in numbers} == {4}
    template = Template.from_stack(stack)
    [delivered] = evaluate(template, list(template.find_resources(JOB).values()))
    assert delivered["Properties"]["Images"]["ImagesS3Uri"] == "s3://streets/streets"
    assert delivered["Properties"]["Images"]["Sample"] == "4"
    assert delivered["Properties"]["Cost"] == {"MaxObjects": "4", "MaxTasks": "4"}
    assert job.tags == {"key": "streets"}


def test_a_manifests_key_may_be_a_token(app, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    stack = Stack(app, "Test")
    text = CfnParameter(stack, "Text", default="streets").value_as_string
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    add_job(stack, images=Images.from_manifest(bucket, text))
    source = labeling_job(Template.from_stack(stack)).request["InputConfig"]["DataSource"]
    assert source == {"S3DataSource": {"ManifestS3Uri": "s3://given/streets"}}


def _prices(amount):
    return Prices(currency="USD", source="page", as_of="2026-11-23", per_object=[PriceTier(price=amount)])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("job_name_prefix", lambda text, number: {"job_name_prefix": text}),
        ("output_prefix", lambda text, number: {"output_prefix": text}),
        ("labels", lambda text, number: {"labels": [text]}),
        ("probation", lambda text, number: {"probation": Duration.seconds(number)}),
        (
            "preflight.image_time",
            lambda text, number: {"preflight": Preflight(image_time=Duration.seconds(number))},
        ),
        (
            "cost_ceiling.prices.per_object[0].price",
            lambda text, number: {"cost_ceiling": CostCeiling(prices=_prices(text))},
        ),
        (
            "cost_ceiling.max_objects",
            lambda text, number: {"cost_ceiling": CostCeiling(max_objects=number, stop_at_ceiling=True)},
        ),
        (
            "cost_ceiling.max_amount",
            lambda text, number: {
                "cost_ceiling": CostCeiling(max_amount=text, prices=_prices("1"), stop_at_ceiling=True)
            },
        ),
    ],
)
def test_tokens_where_they_may_not_be(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob], name: str, arguments
) -> None:
    stack = Stack(app, "Test")
    text = CfnParameter(stack, "Text").value_as_string
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    with pytest.raises(ValueError, match=f"Test/Job: '{re.escape(name)}' must"):
        add_job(stack, **arguments(text, number))


def test_an_environment_agnostic_stack(app, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    stack = Stack(app, "Test")
    add_job(stack)
    for region in ("eu-west-1", "us-west-2"):
        job = labeling_job(Template.from_stack(stack), parameters={"AWS::Region": region})
        assert f":lambda:{region}:" in job.request["HumanTaskConfig"]["PreHumanTaskLambdaArn"]


def test_default_removal_keeps_what_was_paid_for(
    app, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = Stack(app, "Test")
    add_job(stack)
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::Logs::LogGroup"):
        for resource in Template.from_stack(stack).find_resources(kind).values():
            assert resource["DeletionPolicy"] == "Retain"
