"""Each option of a rougher account: a deploy by the real handler survives it, or says what is in its way."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from PIL import Image

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam
from ground_truth_local import reality
from ground_truth_local.account import ASSET_KEYS
from ground_truth_local.server import EmbeddedAws, EmbeddedAwsError
from ground_truth_local.testing import DeployFailed, Failures, GroundTruth

ROOT = Path(__file__).parents[3]
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"

_REFUSES = r"403: Forbidden \(no more was said: .* a proxy or a VPC endpoint"
_CUTS_OFF = "isn't what its checksum says: something in between cut it off"

pytestmark = pytest.mark.xdist_group("reality")


@pytest.fixture
def photos(tmp_path: Path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("one.png", "two.png"):
        noise = np.random.default_rng(ord(name[0])).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((80, 60), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture
def streets(photos):
    """A stack whose job labels a folder; subclasses say what else."""

    class Streets(Stack):
        def __init__(self, scope, construct_id, **kwargs) -> None:
            super().__init__(scope, construct_id, **kwargs)
            self.job = SemanticSegmentationLabelingJob(
                self,
                "Job",
                images=self.images(),
                labels=["road", "sky"],
                workteam=Workteam.from_workteam_arn(self, "Team", TEAM),
                number_of_human_workers_per_data_object=1,
            )

        def images(self):
            return Images.from_directory(photos)

    return Streets


@pytest.fixture
def rough(tmp_path: Path):
    """Give a function that starts a server with options; they end with the test."""
    servers = []

    def start(**options):
        aws = EmbeddedAws(simulated_workers=True, **options).start()
        servers.append(aws)
        one = GroundTruth(lambda: aws, tmp_path)
        one.workteam("annotators")
        return one

    yield start
    for aws in servers:
        aws.stop()


def example(*names: str) -> Failures:
    """Order what the README shows of these options."""
    shown = dict(re.findall(r"^\| `(\w+)=([^`]+)`", (ROOT / "local" / "README.md").read_text(), re.MULTILINE))
    return Failures(**{name: ast.literal_eval(shown[name]) for name in names})


def test_each_option_has_an_argument_a_flag_and_a_line_in_the_readme() -> None:
    readme = (ROOT / "local" / "README.md").read_text()
    arguments = inspect.signature(EmbeddedAws).parameters
    for name, option in reality.OPTIONS.items():
        assert name in arguments
        assert any(f"`{name}=" in line and f"`{option.flag}" in line for line in readme.splitlines()), name


def test_flags_become_arguments() -> None:
    parser = argparse.ArgumentParser()
    reality.add_flags(parser)
    usual = {name: inspect.signature(EmbeddedAws).parameters[name].default for name in reality.OPTIONS}
    usual |= {"black_holes": [], "foreign_tags": {}}
    assert reality.chosen(parser.parse_args([])) == usual
    line = (
        "--black-hole iam --black-hole kms --throttle-every 2 --break-every 3 --short-every 4"
        " --bare-403-every 5 --no-source-account --iam-spread-seconds 6 --s3-spread-seconds 7.5"
        " --asset-bucket-key own-key --set-up-seconds 8 --foreign-tag auto:creator=ada --foreign-tag cost=a=b"
    )
    assert reality.chosen(parser.parse_args(line.split())) == {
        "black_holes": ["iam", "kms"],
        "throttle_every": 2,
        "break_every": 3,
        "short_every": 4,
        "bare_403_every": 5,
        "source_account": False,
        "iam_spread_seconds": 6.0,
        "s3_spread_seconds": 7.5,
        "asset_bucket_key": "own-key",
        "set_up_seconds": 8.0,
        "foreign_tags": {"auto:creator": "ada", "cost": "a=b"},
    }


def test_an_unknown_key_is_refused_by_name() -> None:
    with pytest.raises(EmbeddedAwsError, match=r"aws/s3, customer-key, own-key, got 'mine'"):
        EmbeddedAws(asset_bucket_key="mine")


@pytest.mark.deploy
@pytest.mark.parametrize(
    "fail",
    [
        example("iam_spread_seconds"),
        example("s3_spread_seconds"),
        example("throttle_every", "break_every"),
        Failures(break_every=3, throttle_every=11),
    ],
    ids=lambda fail: "+".join(f"{name}={value}" for name, value in vars(fail).items() if value),
)
def test_a_deploy_and_its_job_survive(streets, ground_truth, fail) -> None:
    ground_truth.workteam("annotators")
    run = ground_truth.run(streets, fail=fail)
    assert (run.status, len(run.manifest), run.failures) == ("Completed", 2, {})
    log = handler_log(ground_truth.aws)
    if fail.iam_spread_seconds:
        assert '"WaitForIam"' in log


@pytest.mark.deploy
@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (Failures(bare_403_every=1), _REFUSES),
        (example("bare_403_every"), _REFUSES),
        (Failures(short_every=1), _CUTS_OFF),
        (example("short_every"), _CUTS_OFF),
    ],
    ids=["refuses all", "refuses", "cuts all off", "cuts off"],
)
def test_a_proxy_that_spoils_answers_is_named(streets, ground_truth, fail, words: str) -> None:
    ground_truth.workteam("annotators")
    with pytest.raises(DeployFailed, match=words):
        ground_truth.run(streets, fail=fail)


@pytest.mark.deploy
@pytest.mark.parametrize("key", ASSET_KEYS)
def test_a_bucket_of_assets_under_a_key(streets, rough, key) -> None:
    one = rough(asset_bucket_key=key)
    bucket = f"cdk-hnb659fds-assets-{one.aws.account}-{one.aws.region}"
    client = one.aws.session().client("s3")
    if key == "own-key":
        with pytest.raises(DeployFailed, match=r"key\.grant_decrypt\(job\.handler_role\)"):
            one.run(streets)
        arn = rule_of(client, bucket)["KMSMasterKeyID"]

        class Granted(streets):
            def __init__(self, scope, construct_id, **kwargs) -> None:
                super().__init__(scope, construct_id, **kwargs)
                key = kms.Key.from_key_arn(self, "Bootstrap", arn)
                key.grant_decrypt(self.job.handler_role)
                key.grant_decrypt(self.job.role)

        run = one.run(Granted)
    else:
        run = one.run(streets)
    assert (run.status, run.failures) == ("Completed", {})
    assert rule_of(client, bucket)["SSEAlgorithm"] == "aws:kms"
    objects = client.list_objects_v2(Bucket=bucket)["Contents"]
    answer = client.head_object(Bucket=bucket, Key=objects[0]["Key"])
    assert answer["ServerSideEncryption"] == "aws:kms"
    about = one.aws.session().client("kms").describe_key(KeyId=answer["SSEKMSKeyId"])["KeyMetadata"]
    assert about["KeyManager"] == ("AWS" if key == "aws/s3" else "CUSTOMER")


@pytest.mark.deploy
def test_a_job_that_others_tag_and_that_fails_late(streets, rough) -> None:
    one = rough(foreign_tags={"auto:creator": "ada"}, set_up_seconds=2, source_account=False)
    run = one.run(streets)
    assert run.status == "Completed"
    client = one.aws.session().client("sagemaker")
    arn = client.describe_labeling_job(LabelingJobName=run.job.name)["LabelingJobArn"]
    tags = {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=arn)["Tags"]}
    assert tags["auto:creator"] == "ada"


def rule_of(client, bucket):
    found = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    return found["Rules"][0]["ApplyServerSideEncryptionByDefault"]


def handler_log(aws):
    logs = aws.session().client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    events = [event for name in groups for event in logs.filter_log_events(logGroupName=name)["events"]]
    return "\n".join(event["message"] for event in events)
