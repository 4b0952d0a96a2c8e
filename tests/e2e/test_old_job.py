"""The old job may do what it may at every moment of an update: for good if that fails, else until its end."""

from __future__ import annotations

import html
import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam
from ground_truth_local.session import GatewaySession
from tests.e2e.conftest import LABELS
from tests.least_privilege.deployed import _publish
from tests.local.portal.test_portal import Client

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(900), pytest.mark.xdist_group("e2e-old-job")]

NAME = "OldJob"
FOREIGN = "arn:aws:iam::999900001111:role/trainer"
OLD, EMPTY, NEW = "old-job-photos", "old-job-empty", "old-job-new-photos"
SECONDS = 0.1
MEMBER = "ada@example.com"


class Deploys:
    """One stack, made and updated through CloudFormation itself, as the CLI would take most of the time."""

    def __init__(self, aws: Any, folder: Any) -> None:
        self.aws, self.admin = aws, aws.session()
        self._folder = folder
        self._client = self.admin.client("cloudformation")
        self.team = aws.create_workteam("old-job-team", [MEMBER])

    def __call__(self, bucket: str, *, key: str = "Key", foreign: bool = False, **options: Any) -> str:
        """Deploy a job over the bucket; the stack's last status."""
        app = App(outdir=str(self._folder.mktemp(NAME) / "cdk.out"))
        stack = Stack(app, NAME, env=Environment(account=self.aws.account, region=self.aws.region))
        job = SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_bucket(s3.Bucket.from_bucket_name(stack, "Photos", bucket), prefix="photos/"),
            labels=LABELS,
            workteam=Workteam.from_workteam_arn(stack, "Team", self.team),
            # The team has one member.
            number_of_human_workers_per_data_object=1,
            encryption_key=kms.Key(stack, key),
            **options,
        )
        if foreign:
            job.grant_read_labels(iam.Role.from_role_arn(stack, "Foreign", FOREIGN))
        assembly = Path(app.synth().directory)
        _publish(self.admin, assembly, NAME, self.aws)
        body = (assembly / f"{NAME}.template.json").read_text()
        make = self._client.update_stack if self._exists() else self._client.create_stack
        make(StackName=NAME, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        return self._settled()

    def _exists(self) -> bool:
        return any(each["StackName"] == NAME for each in self._client.describe_stacks()["Stacks"])

    def _settled(self) -> str:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            status = str(self._client.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])
            if not status.endswith("IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise AssertionError(f"{NAME} is still {status}")

    def why(self) -> str:
        """What the newest failed event of the stack says."""
        events = self._client.describe_stack_events(StackName=NAME)["StackEvents"]
        said = [each.get("ResourceStatusReason", "") for each in events if "FAILED" in each["ResourceStatus"]]
        return str(said[0])

    def job(self) -> str:
        """The name of the job that the stack has."""
        resources = self._client.list_stack_resources(StackName=NAME)["StackResourceSummaries"]
        [name] = [
            each["PhysicalResourceId"] for each in resources if each["ResourceType"].startswith("Custom::")
        ]
        return str(name)


class Probe:
    """Does what a job's service does with its role, over and over, and remembers what was refused."""

    def __init__(self, aws: Any, job: dict[str, Any], team: str) -> None:
        self._sagemaker = aws.session().client("sagemaker")
        self._name = job["LabelingJobName"]
        session = _session_as(aws, job["RoleArn"])
        self._s3 = session.client("s3")
        bucket, _, prefix = job["OutputConfig"]["S3OutputPath"].removeprefix("s3://").partition("/")
        self._label = {"Bucket": bucket, "Key": f"{prefix}/{self._name}/annotations/probe.png"}
        image = {"Bucket": OLD, "Key": "photos/00000.png"}
        self._picture = self._s3.generate_presigned_url("get_object", Params=image)
        self._worker = Client(aws.portal_url)
        self._worker.sign_in(SimpleNamespace(team=team), MEMBER)
        self._task = self._worker.task(job["LabelingJobArn"])
        self.times = 0
        self.refused: list[str] = []

    def once(self) -> None:
        """Open the worker's page and its picture, read another, and write a label with the job's key."""
        self.times += 1
        try:
            for picture in (self._picture_of_page(), self._picture):
                with urllib.request.urlopen(picture, timeout=30) as answer:
                    assert answer.read()[:4] == b"\x89PNG"
            self._s3.put_object(**self._label, Body=b"label")
            assert self._s3.get_object(**self._label)["Body"].read() == b"label"
        except Exception as error:
            about = self._sagemaker.describe_labeling_job(LabelingJobName=self._name)
            if about["LabelingJobStatus"] in ("Initializing", "InProgress"):
                self.refused.append(f"probe {self.times}: {error}")

    def _picture_of_page(self) -> str:
        status, _, page = self._worker(f"{self._task}/frame")
        assert status == 200, page
        [source] = re.findall(r'<crowd-semantic-segmentation\s[^>]*?\bsrc="([^"]+)"', page)
        return html.unescape(source)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Probe ten times a second."""
        over = threading.Event()

        def run() -> None:
            while not over.wait(SECONDS):
                self.once()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _session_as(aws: Any, role_arn: str) -> Any:
    """A session with a job's role, which lets the administrator in beside the service."""
    admin, name = aws.session(), role_arn.rpartition("/")[2]
    role = admin.client("iam").get_role(RoleName=name)["Role"]
    me = admin.client("sts").get_caller_identity()["Arn"]
    trust = role["AssumeRolePolicyDocument"]
    trust["Statement"].append({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": me}})
    admin.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    found = admin.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="probe")["Credentials"]
    return GatewaySession(
        aws.endpoint_url,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
        region_name=aws.region,
    )


@pytest.fixture(scope="module")
def deploys(embedded_aws, tmp_path_factory: pytest.TempPathFactory):
    return Deploys(embedded_aws, tmp_path_factory)


def test_the_old_job_may_do_what_it_may_until_it_has_ended(
    deploys, photo_bucket: Callable[..., str], sagemaker: Any, record_property
) -> None:
    for bucket, count in ((OLD, 2), (NEW, 2), (EMPTY, 0)):
        photo_bucket(bucket, count=count)
    assert deploys(OLD) == "CREATE_COMPLETE"
    name = deploys.job()
    job = sagemaker.describe_labeling_job(LabelingJobName=name)
    probe = Probe(deploys.aws, job, deploys.team)
    probe.once()
    assert not probe.refused
    with probe.running():
        for change in ({}, {"key": "Other"}, {"output_prefix": "night"}, {"foreign": True}):
            # Preflight finds no image.
            assert deploys(EMPTY, **change) == "UPDATE_ROLLBACK_COMPLETE", change
            assert "no image (.jpg, .jpeg, .png)" in deploys.why()
            assert deploys.job() == name
        now = sagemaker.describe_labeling_job(LabelingJobName=name)
        assert (now["LabelingJobStatus"], now["RoleArn"]) == ("InProgress", job["RoleArn"])
        assert deploys(NEW, foreign=True) == "UPDATE_COMPLETE"
    record_property("told", f"Old job: {probe.times} probes, {len(probe.refused)} refused while it lived")
    assert probe.times > 20 and not probe.refused
    assert deploys.job() != name
    assert sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"] == "Stopped"
    # And its role went after it.
    iam_client = deploys.admin.client("iam")
    assert job["RoleArn"] not in [each["Arn"] for each in iam_client.list_roles()["Roles"]]
