"""The job that labels the rest, in an embedded AWS with buckets of the same names, and what it gives."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..server import EmbeddedAws
from ..service import builtin
from .remains import ContinueError, Entry, Remains

_SETUP = "continue-setup"
_TEAM = "annotators"
_CORS = {
    "CORSRules": [
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["Access-Control-Allow-Origin"]}
    ]
}
_TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-semantic-segmentation
    name="crowd-semantic-segmentation"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="Paint each object with its label."
    labels="{{ task.input.labels | to_json | escape }}"
  >
    <full-instructions header="Instructions"><p>Paint each object with its label.</p></full-instructions>
    <short-instructions><p>What stays unpainted is background.</p></short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>
"""
_POLL_SECONDS = 0.3


class LocalJob:
    """Labels what is missing of a dataset.

    Args:
        aws: a running embedded AWS; one with a state folder goes on with the job that it has.
        remains: the dataset.
        workers: how many people label each picture.
        members: the people.
        template: a worker template; None for a plain one.
        hours: for a task.
    """

    def __init__(
        self,
        aws: EmbeddedAws,
        remains: Remains,
        *,
        workers: int = 1,
        members: tuple[str, ...] = (),
        template: str | None = None,
        hours: int = 8,
    ) -> None:
        self.name = f"{remains.name}-continued"
        self._remains = remains
        session = aws.session()
        self._aws = aws
        self._iam = session.client("iam")
        self._s3, self._sagemaker = session.client("s3"), session.client("sagemaker")
        self._workers, self._members = workers, members
        self._template, self._hours = template or _TEMPLATE, hours

    def start(self) -> None:
        """Create the job, unless an interrupted run has."""
        known = self._sagemaker.list_labeling_jobs(NameContains=self.name)["LabelingJobSummaryList"]
        if any(job["LabelingJobName"] == self.name for job in known):
            return
        for entry in self._remains.missing:
            self._put(entry.source, entry.read_picture())
        lines = "\n".join(entry.line for entry in self._remains.entries) + "\n"
        categories = {
            "document-version": "2018-11-28",
            "labels": [{"label": label} for label in self._remains.labels],
        }
        region = self._aws.region
        functions = {
            stage: f"arn:aws:lambda:{region}:{builtin.owner(region, stage, builtin.SEGMENTATION)}"
            f":function:{stage}-{builtin.SEGMENTATION}"
            for stage in ("PRE", "ACS")
        }
        self._ensure_bucket(self._remains.output.removeprefix("s3://").partition("/")[0])
        self._sagemaker.create_labeling_job(
            LabelingJobName=self.name,
            LabelAttributeName=self._remains.attribute,
            InputConfig={
                "DataSource": {
                    "S3DataSource": {
                        "ManifestS3Uri": self._put(f"s3://{_SETUP}/input.manifest", lines.encode())
                    }
                }
            },
            OutputConfig={"S3OutputPath": self._remains.output},
            RoleArn=self._role(),
            LabelCategoryConfigS3Uri=self._put(
                f"s3://{_SETUP}/labels.json", json.dumps(categories, ensure_ascii=False).encode()
            ),
            HumanTaskConfig={
                "WorkteamArn": self._aws.create_workteam(_TEAM, self._members),
                "UiConfig": {
                    "UiTemplateS3Uri": self._put(f"s3://{_SETUP}/template.html", self._template.encode())
                },
                "PreHumanTaskLambdaArn": functions["PRE"],
                "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": functions["ACS"]},
                "TaskTitle": self.name,
                "TaskDescription": "Label what an earlier job left.",
                "NumberOfHumanWorkersPerDataObject": self._workers,
                "TaskTimeLimitInSeconds": self._hours * 3600,
                "TaskAvailabilityLifetimeInSeconds": 30 * 86_400,
            },
        )

    def wait(self, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Wait until all is labeled, or somebody wants to stop; return the job's description.

        Raises:
            ContinueError: the job failed.
        """
        while True:
            job: dict[str, Any] = self._sagemaker.describe_labeling_job(LabelingJobName=self.name)
            if job["LabelingJobStatus"] == "Failed":
                raise ContinueError(f"The job failed: {job['FailureReason']}")
            if job["LabelingJobStatus"] in ("Completed", "Stopped") or stopped():
                return job
            time.sleep(_POLL_SECONDS)

    def collect(self, folder: Path) -> tuple[Path, int]:
        """Write the whole dataset's output manifest, masks and pictures; return the manifest and the labeled.

        The folder is a copy of the buckets, as the label reader and `aws s3 cp` expect it.
        """
        job = self._sagemaker.describe_labeling_job(LabelingJobName=self.name)
        uri = str(job["LabelingJobOutput"]["OutputDatasetS3Uri"])
        lines = self._get(uri).decode().splitlines()
        labeled = 0
        for line, entry in zip(lines, self._remains.entries, strict=True):
            labeled += self._keep(folder, line, entry)
        manifest = _place(folder, uri)
        _write(manifest, ("\n".join(lines) + "\n").encode())
        return manifest, labeled

    def _keep(self, folder: Path, line: str, entry: Entry) -> bool:
        mask = entry.mask if entry.labeled else json.loads(line).get(self._remains.attribute)
        _copy(_place(folder, entry.source), entry.read_picture)
        if not mask:
            return False
        _copy(_place(folder, mask), entry.read_mask if entry.labeled else lambda: self._get(mask))
        return True

    def _put(self, uri: str, body: bytes) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self._ensure_bucket(bucket)
        self._s3.put_object(Bucket=bucket, Key=key, Body=body)
        return uri

    def _get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def _ensure_bucket(self, bucket: str) -> None:
        if bucket in {one["Name"] for one in self._s3.list_buckets()["Buckets"]}:
            return
        self._s3.create_bucket(Bucket=bucket)
        self._s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=_CORS)

    def _role(self) -> str:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        with contextlib.suppress(self._iam.exceptions.EntityAlreadyExistsException):
            self._iam.create_role(RoleName="continue", AssumeRolePolicyDocument=_policy(trust))
        self._iam.put_role_policy(RoleName="continue", PolicyName="s3", PolicyDocument=_policy(allow))
        return f"arn:aws:iam::{self._aws.account}:role/continue"


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _place(folder: Path, uri: str) -> Path:
    """Where an object lies in the folder's copy of the buckets; never outside of it.

    Raises:
        ContinueError: its key leads out.
    """
    place = folder.joinpath(*uri.removeprefix("s3://").split("/"))
    if ".." in place.relative_to(folder).parts or not place.resolve().is_relative_to(folder.resolve()):
        raise ContinueError(f"{uri} leads out of {folder}.")
    return place


def _copy(place: Path, read: Callable[[], bytes]) -> None:
    if not place.exists():
        _write(place, read())


def _write(place: Path, body: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    part.write_bytes(body)
    part.replace(place)
