"""A real deploy reads the data first: what is wrong is told at once, with lines, and costs nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import CostCeiling, Images, Preflight, Prices, SemanticSegmentationLabelingJob
from ground_truth_local.cdk_cli import CdkError
from labeling_job.contract import RESOURCE_TYPE
from tests.corpus.embedded import fill
from tests.deep import deep
from tests.e2e.conftest import LABELS, Deployer, picture

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(900), pytest.mark.xdist_group("e2e-preflight")]

LINES = deep(2_000, 20_000)
BUCKET = "many-lines"
#: Line → what is wrong with it.
FAULTS = {
    17: {"source-ref": f"s3://{BUCKET}/gone.png"},
    321: {"source-ref": f"s3://{BUCKET}/photo.gif.png"},
    999: {"image": f"s3://{BUCKET}/00001.png"},
    1_234: {"source-ref": f"s3://{BUCKET}/01234.png", "$camera": 3},
    LINES: {"source-ref": f"s3://{BUCKET}/00001.png"},
}


def reason(failure: CdkError) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(failure))
    assert RESOURCE_TYPE in text
    return text


def job_over_manifest(bucket: str, **arguments):
    def build(stack, team):
        photos = s3.Bucket.from_bucket_name(stack, "Photos", bucket)
        images = Images.from_manifest(photos, "in.manifest")
        return SemanticSegmentationLabelingJob(
            stack, "Job", images=images, labels=LABELS, workteam=team, **arguments
        )

    return build


@pytest.fixture(scope="module")
def many_lines(embedded_aws):
    client = embedded_aws.session().client("s3")
    client.create_bucket(Bucket=BUCKET)
    rule = {
        "AllowedMethods": ["GET"],
        "AllowedOrigins": ["*"],
        "ExposeHeaders": ["Access-Control-Allow-Origin"],
    }
    client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    entries = {n: {"source-ref": f"s3://{BUCKET}/{n:05}.png"} for n in range(1, LINES + 1)} | FAULTS
    # Only what a line names is there.
    keys = [f"{n:05}.png" for n in entries if n not in FAULTS or n == 1_234]
    fill(embedded_aws, BUCKET, keys, picture("a", (12, 8)))
    client.put_object(Bucket=BUCKET, Key="photo.gif.png", Body=b"GIF89a" + b"\0" * 99)
    manifest = "".join(json.dumps(entry) + "\n" for entry in entries.values())
    client.put_object(Bucket=BUCKET, Key="in.manifest", Body=manifest.encode())
    return client


def test_five_faults_in_many_lines_are_told_in_one_go(deployer: Deployer, sagemaker: Any, many_lines) -> None:
    with pytest.raises(CdkError) as caught:
        # On a slow machine too all images are looked at.
        patient = Preflight(image_time=Duration.minutes(10))
        deployer("FiveFaults", job_over_manifest(BUCKET, preflight=patient))
    text = reason(caught.value)
    told = {
        "manifest-attribute-name": 1_234,
        "manifest-source": 999,
        "manifest-duplicates": LINES,
        "image-exists": 17,
        "image-format": 321,
    }
    for check, line in told.items():
        assert f"ERROR {check} line {line}: " in text
    assert f"Preflight: {len(told)} errors, 0 warnings in s3://{BUCKET}/in.manifest ({LINES:,} lines)" in text
    assert "no job was created" in text
    assert not sagemaker.list_labeling_jobs(NameContains="fivefaults")["LabelingJobSummaryList"]
    [(bucket, key), *_] = re.findall(r"s3://([^/\s]+)/(labels/preflight/[^,\s]+\.json)", text)
    body = many_lines.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert {group["check"] for group in json.loads(body)["findings"] if group["severity"] == "error"} == set(
        told
    )


def test_a_ceiling_refuses_with_the_sum(
    deployer: Deployer, sagemaker: Any, photo_bucket: Callable[..., str]
) -> None:
    prices = Prices(currency="USD", source="offer 7", as_of="2026-11-01", per_task="1.50")
    bucket = photo_bucket("ceiling-photos", count=4)

    def build(stack, team):
        photos = s3.Bucket.from_bucket_name(stack, "Photos", bucket)
        return SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_bucket(photos),
            labels=LABELS,
            workteam=team,
            cost_ceiling=CostCeiling(max_amount="17.99", prices=prices),
        )

    with pytest.raises(CdkError) as caught:
        deployer("Ceiling", build)
    assert "18.00 USD, but at most 17.99 USD is allowed" in reason(caught.value)
    assert not sagemaker.list_labeling_jobs(NameContains="ceiling")["LabelingJobSummaryList"]


def test_a_skipped_check_and_a_warning_let_the_job_go_on(
    deployer: Deployer, sagemaker: Any, photo_bucket: Callable[..., str]
) -> None:
    bucket = photo_bucket("skipped-photos", count=0, files={"named.jpg": picture("b")})
    client = deployer.aws.session().client("s3")
    line = json.dumps({"source-ref": f"s3://{bucket}/named.jpg"}) + "\n"
    client.put_object(Bucket=bucket, Key="in.manifest", Body=(line * 2).encode())
    skip = Preflight(skip=["manifest-duplicates"])
    outputs = deployer("Skipped", job_over_manifest(bucket, preflight=skip))
    job = sagemaker.describe_labeling_job(LabelingJobName=outputs["JobName"])
    assert job["LabelingJobStatus"] == "InProgress"
    tags = {tag["Key"]: tag["Value"] for tag in job["Tags"]}
    assert (tags["cdk-ground-truth:objects"], tags["cdk-ground-truth:tasks"]) == ("2", "6")
    place = outputs["OutputManifest"].removeprefix("s3://").split("/")
    key = f"{place[1]}/preflight/{outputs['JobName']}.json"
    report = json.loads(client.get_object(Bucket=place[0], Key=key)["Body"].read())["findings"]
    assert {(g["check"], g["severity"]) for g in report} == {("image-suffix", "warning")}


def test_the_command_finds_the_same_in_the_account(
    deployer: Deployer, embedded_aws, photo_bucket: Callable[..., str]
) -> None:
    bucket = photo_bucket("asked-photos", count=2)
    line = json.dumps({"source-ref": f"s3://{bucket}/photos/00000.png"}) + "\n"
    administrator = embedded_aws.session()
    administrator.client("s3").put_object(Bucket=bucket, Key="in.manifest", Body=(line * 2).encode())
    key = administrator.get_credentials()
    team = ["--workteam", deployer.workteam_arn, "--region", embedded_aws.region]
    words = [f"s3://{bucket}/in.manifest", "--labels", ",".join(LABELS), *team, "--json"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "cdk_ground_truth.cli",
            "check",
            *words,
            "--endpoint-url",
            embedded_aws.endpoint_url,
        ],
        env={**os.environ, "AWS_ACCESS_KEY_ID": key.access_key, "AWS_SECRET_ACCESS_KEY": key.secret_key},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert [(g["check"], g["found"][0]["line"]) for g in result["findings"]] == [("manifest-duplicates", 2)]
    assert "workteam" not in result["skipped_checks"] and "image-exists" not in result["skipped_checks"]
