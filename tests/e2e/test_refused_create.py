"""What a first deploy leaves in the account that preflight refused, and what a second try copies again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam
from ground_truth_local.cdk_cli import CdkError
from tests.e2e.conftest import LABELS, Deployer, picture

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("e2e-refused-create")]

#: `docs/lifecycle.md` explains each of these.
LEFT = {"bucket with inputbucket", "bucket with outputbucket", "log group with HandlerLogs"}


def account(aws) -> set[str]:
    """What there is that stacks make, without what CDK's own stacks have."""
    client = aws.session().client
    found = {f"bucket {each['Name']}" for each in client("s3").list_buckets()["Buckets"]}
    found |= {
        f"log group {each['logGroupName']}" for each in client("logs").describe_log_groups()["logGroups"]
    }
    found |= {f"role {each['Arn']}" for each in client("iam").list_roles()["Roles"]}
    found |= {f"policy {each['Arn']}" for each in client("iam").list_policies(Scope="Local")["Policies"]}
    found |= {f"function {each['FunctionName']}" for each in client("lambda").list_functions()["Functions"]}
    found |= {f"key {each['KeyArn']}" for each in client("kms").list_keys()["Keys"]}
    jobs = client("sagemaker").list_labeling_jobs(MaxResults=100)["LabelingJobSummaryList"]
    return found | {f"job {each['LabelingJobName']}" for each in jobs}


def kind(thing: str) -> str:
    name, _, rest = thing.rpartition(" ")
    part = next((each for each in ("inputbucket", "outputbucket", "HandlerLogs") if each in rest), rest)
    return f"{name} with {part}"


def keys(aws, bucket: str) -> dict[str, object]:
    listed = aws.session().client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: each["LastModified"] for each in listed}


def test_a_refused_first_deploy_leaves_what_is_explained(deployer: Deployer, photos: Any) -> None:
    aws = deployer.aws
    before = account(aws)

    def build(stack, team):
        nobody = Workteam.from_workteam_arn(stack, "Nobody", f"{deployer.workteam_arn}-gone")
        return SemanticSegmentationLabelingJob(
            stack, "Job", images=Images.from_directory(photos), labels=LABELS, workteam=nobody
        )

    with pytest.raises(CdkError, match="ERROR workteam"):
        deployer("RefusedCreate", build)
    left = account(aws) - before
    assert {kind(each) for each in left} == LEFT
    for name in (each.removeprefix("bucket ") for each in left if each.startswith("bucket ")):
        # No image was copied: one line says which there would have been, and the report what was wrong.
        [key] = keys(aws, name)
        assert key.endswith(".manifest") if "inputbucket" in name else "/preflight/" in key


def test_a_second_try_copies_only_what_has_changed(
    deployer: Deployer, photo_bucket: Callable[..., str], tmp_path: Path
) -> None:
    aws = deployer.aws
    photo_bucket("second-try", count=0)
    (tmp_path / "good.png").write_bytes(picture("good"))
    (tmp_path / "bad.png").write_bytes(picture("bad")[:60])

    def build(stack, team):
        return SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_directory(tmp_path),
            labels=LABELS,
            workteam=team,
            input_bucket=s3.Bucket.from_bucket_name(stack, "Input", "second-try"),
        )

    with pytest.raises(CdkError, match=r"ERROR image-"):
        deployer("SecondTry", build)
    first = {key: when for key, when in keys(aws, "second-try").items() if key.endswith("/good.png")}
    assert len(first) == 1
    (tmp_path / "bad.png").write_bytes(picture("mended"))
    deployer("SecondTry", build)
    second = keys(aws, "second-try")
    assert first.items() <= second.items()
    assert sum(key.endswith("/bad.png") for key in second) == 2
