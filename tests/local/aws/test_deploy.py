"""The real CDK CLI, as the deploy user, through the pytest plugin's own fixtures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ground_truth_local.cdk_cli import CdkCli, CdkError
from ground_truth_local.server import EmbeddedAws

pytestmark = pytest.mark.deploy
APP = f"{sys.executable} {Path(__file__).parent / 'app.py'}"


@pytest.fixture(scope="module")
def embedded_aws(stub_on_path):
    with EmbeddedAws(service="stub_service:StubService") as aws:
        yield aws


@pytest.fixture(scope="module")
def aws_session(embedded_aws):
    return embedded_aws.session()


def test_deploy_update_and_destroy(deploy, aws_session, embedded_aws) -> None:
    [found] = deploy(APP).values()
    assert {found[f"Out{name}"] for name in ("East", "Mapped", "Joint")} == {"yes"}
    assert json.loads(found["OutProperties"])["Account"] == "432418664414"
    assert "not authorized" in found["OutDenied"]
    assert found["OutLog"] == found["OutLogGroup"]
    s3 = aws_session.client("s3")
    assert s3.get_bucket_lifecycle_configuration(Bucket=found["OutBucketName"])["Rules"][0]["Expiration"]
    tags = {
        tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=found["OutBucketName"])["TagSet"]
    }
    assert tags["team"] == "vision"
    [changed] = deploy(APP, version="2").values()
    assert changed["OutBucketName"] == found["OutBucketName"]
    listed = s3.list_objects_v2(Bucket=found["OutRecordsName"])["Contents"]
    bodies = [
        s3.get_object(Bucket=found["OutRecordsName"], Key=each["Key"])["Body"].read() for each in listed
    ]
    assert [json.loads(body)["type"] for body in bodies] == ["Create", "Update", "Delete"]


def test_a_failed_deploy_says_why(embedded_aws) -> None:
    cli = CdkCli(APP, embedded_aws.environment, context={"fail": "true"})
    with pytest.raises(CdkError, match="failed as asked"):
        cli.deploy()
    cli.destroy()


def test_an_encrypted_bucket_takes_its_key(deploy, aws_session) -> None:
    [found] = deploy(APP, kms="1").values()
    rule = aws_session.client("s3").get_bucket_encryption(Bucket=found["OutBucketName"])
    [rule] = rule["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_what_was_deployed_is_destroyed_without_the_app(embedded_aws, aws_session, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(
        "from aws_cdk import App, Stack, aws_sns as sns\n"
        "app = App()\n"
        "sns.Topic(Stack(app, 'Kept'), 'Topic')\n"
        "app.synth()\n"
    )
    cli = CdkCli(f"{sys.executable} {app}", embedded_aws.environment)
    cli.deploy()
    app.unlink()
    cli.destroy()
    stacks = aws_session.client("cloudformation").list_stacks()["StackSummaries"]
    assert {each["StackStatus"] for each in stacks if each["StackName"] == "Kept"} == {"DELETE_COMPLETE"}
