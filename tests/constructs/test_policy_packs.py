"""All of cdk-nag's packs, and cfn-lint, over what a job's buckets, key and role may be.

`docs/policy-packs.md` explains what is left; this test holds the table against what the packs find.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from cdk_nag import (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R4Checks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)

from cdk_ground_truth import Hardening, Images, SemanticSegmentationLabelingJob

ROOT = Path(__file__).parents[2]
BUCKETS = ("owned", "imported", "parameter", "cross-stack")
MATRIX = list(itertools.product(BUCKETS, (False, True), (False, True)))
PACKS = (
    AwsSolutionsChecks,
    HIPAASecurityChecks,
    NIST80053R4Checks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    ServerlessChecks,
)
#: Reviewed: each is explained at its place in the library. A wildcard's end is what differs.
ACKNOWLEDGED = {
    "AwsSolutions-S1",
    # A runtime on which the handler's tests have run, not the newest.
    "AwsSolutions-L1",
    "AwsSolutions-IAM5[*]",
    "AwsSolutions-IAM5[labeling-job/*]",
    "AwsSolutions-IAM5[log-group:/aws/sagemaker/*]",
    "AwsSolutions-IAM5[/inputs/*]",
    "AwsSolutions-IAM5[/inputs/test-job/*]",
    "AwsSolutions-IAM5[/labels/test-job-????????-????????/*]",
    "AwsSolutions-IAM5[/photos/*]",
    # What an update goes on from: the output of the job before, whose name is made at deploy time.
    "AwsSolutions-IAM5[/labels/*/manifests/output/output.manifest]",
    # Preflight's report beside the labels; a work team's user pool, whose id only the service knows.
    "AwsSolutions-IAM5[/labels/preflight/*]",
    "AwsSolutions-IAM5[userpool/*]",
}


def fill(app, photos, add_job, *, bucket, key, role, harden=False) -> None:
    env = Environment(account="444455556666", region="eu-west-1") if harden else None
    home, stack = Stack(app, "Home", env=env), Stack(app, "Test", env=env)
    if harden:
        vpc = ec2.Vpc.from_vpc_attributes(
            home,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["a"],
            isolated_subnet_ids=["subnet-0123456789abcdef0"],
        )
        Hardening(
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=(
                ec2.SecurityGroup.from_security_group_id(home, "Group", "sg-0123456789abcdef0"),
            ),
            reserved_concurrent_executions=5,
            dead_letter_queue=sqs.Queue.from_queue_arn(
                home, "Dead", "arn:aws:sqs:eu-west-1:444455556666:dead"
            ),
            log_encryption_key=kms.Key.from_key_arn(
                home, "LogKey", "arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-3333-4444-555555555555"
            ),
            server_access_logs_bucket=s3.Bucket.from_bucket_name(home, "Access", "access-logs"),
        ).apply_to(stack)
    given = {
        "owned": lambda: None,
        "imported": lambda: s3.Bucket.from_bucket_name(stack, "Given", "given"),
        "parameter": lambda: s3.Bucket.from_bucket_name(
            stack, "Given", CfnParameter(stack, "Name").value_as_string
        ),
        "cross-stack": lambda: s3.Bucket(home, "Photos"),
    }[bucket]()
    add_job(
        stack,
        images=Images.from_bucket(given, prefix="photos/") if given else Images.from_directory(photos),
        output_bucket=given,
        encryption_key=kms.Key(home if bucket == "cross-stack" else stack, "Key") if key else None,
        role=iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        if role
        else None,
    )


def found(tmp_path, packs, **options):
    """(pack, rule) → paths of constructs below Test, without the user's own resources."""
    app = App(outdir=str(tmp_path / "out"))
    Validations.of(app).add_plugins(*(pack(app) for pack in packs))
    fill(app, **options)
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)
    report = json.loads((tmp_path / "out" / "validation-report.json").read_text())
    own = re.compile(r"^Test/(CdkGroundTruth|Job)(/|$)")
    rules = {}
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            paths = {each["constructPath"] for each in violation["violatingConstructs"]}
            mine = sorted(filter(own.match, paths))
            if mine:
                rules[violation["ruleName"]] = mine
    return app, rules


@pytest.mark.parametrize(("bucket", "key", "role"), MATRIX)
def test_no_error_of_aws_solutions(
    tmp_path: Path, photos: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], bucket, key, role
) -> None:
    app, rules = found(
        tmp_path, [AwsSolutionsChecks], photos=photos, add_job=add_job, bucket=bucket, key=key, role=role
    )
    assert {name: at for name, at in rules.items() if name.startswith("AwsSolutions")} == {}
    assert acknowledged(app) <= ACKNOWLEDGED


def acknowledged(app):
    ids = set()
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == "aws:cdk:acknowledged-rules" and construct.node.path.startswith("Test/"):
                ids |= {_shortened(rule) for rule in entry.data}
    return ids


def _shortened(rule):
    """Without the pack, and of a resource only what follows the bucket or the account."""
    rule, _, resource = rule.removeprefix("AwsSolutions::").partition("[Resource::")
    end = re.search(r"(/(inputs|labels|photos)/.*|labeling-job/.*|userpool/.*|log-group:.*|^\*)\]$", resource)
    return f"{rule}[{end[1] if end else resource}]" if resource else rule


@pytest.fixture(scope="module")
def table():
    """(rule → hardened?) of the documentation."""
    text = (ROOT / "docs" / "policy-packs.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (removed|left) \|$", text, re.MULTILINE)
    return {rule: what == "removed" for rule, what in rows}


@pytest.mark.parametrize("harden", [False, True])
def test_what_the_other_packs_find_is_what_the_docs_explain(
    tmp_path: Path, photos: Path, add_job: Callable[..., SemanticSegmentationLabelingJob], table, harden: bool
) -> None:
    app, rules = found(
        tmp_path,
        PACKS,
        photos=photos,
        add_job=add_job,
        bucket="owned",
        key=harden,
        role=False,
        harden=harden,
    )
    assert [rule for rule in rules if rule.startswith("AwsSolutions")] == []
    names = {_rule(rule) for rule in rules}
    explained = set(table) if not harden else {rule for rule, removed in table.items() if not removed}
    assert names == explained
    role = app.node.find_child("Test").node.find_child("CdkGroundTruth").node.find_child("HandlerRole")
    [why] = [
        entry.data["AwsSolutions::AwsSolutions-IAM5[Resource::*]"]
        for entry in role.node.metadata
        if "AwsSolutions::AwsSolutions-IAM5[Resource::*]" in (entry.data or {})
    ]
    assert ("network interfaces" in why) is harden


def _rule(name):
    """A rule without its pack: "HIPAA.Security-LambdaDLQ" is "LambdaDLQ"."""
    return re.sub(
        r"\[.*", "", name.rpartition("-")[2] if "[" not in name else name.partition("[")[0].rpartition("-")[2]
    )


def test_cfn_lint_finds_nothing(
    tmp_path: Path, photos: Path, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    files = []
    for index, (bucket, key, role) in enumerate(MATRIX[::5]):
        app = App(outdir=str(tmp_path / f"out{index}"))
        fill(app, photos, add_job, bucket=bucket, key=key, role=role)
        app.synth()
        files.append(str(tmp_path / f"out{index}" / "Test.template.json"))
    program = Path(sys.executable).with_name("cfn-lint")
    command = [str(program), "--ignore-checks", "W3005", "--regions", "us-east-1", "--template", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
