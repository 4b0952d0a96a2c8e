"""The Developer Guide's rules for CreateLabelingJob, beyond what the service model can say.

Limited to image semantic segmentation. Each rule names the page or member that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..sources import Rule, assumed, guide, holds, model, reference, twin
from . import builtin
from .errors import validation

_ATTRIBUTE = model("CreateLabelingJobRequest$LabelAttributeName")
DEFAULTS = Rule(
    "default-availability",
    "Without a value `TaskAvailabilityLifetimeInSeconds` is 30 days and `MaxConcurrentTaskCount` 1,000.",
    model("HumanTaskConfig$TaskAvailabilityLifetimeInSeconds, HumanTaskConfig$MaxConcurrentTaskCount"),
)
RESERVED = Rule(
    "attribute-reserved", "`source` and `source-ref` are no label attributes.", guide("sms-reusing-data")
)
METADATA = Rule("attribute-metadata", "A label attribute never ends with `-metadata`.", _ATTRIBUTE)
REF = Rule(
    "attribute-ref", "Segmentation and adjustment write an attribute that ends with `-ref`.", _ATTRIBUTE
)
NO_REF = Rule(
    "attribute-no-ref", "Verification writes an attribute that doesn't end with `-ref`.", _ATTRIBUTE
)
STREAMING = Rule("no-streaming", "Streaming labeling jobs are refused.", twin("no SNS input is embedded"))
DATA_SOURCE = Rule(
    "data-source",
    "A job has an `S3DataSource`, an `SnsDataSource` or both.",
    model("LabelingJobDataSource: at least one of them"),
)
TASK_UI = Rule(
    "human-task-ui",
    "No `HumanTaskUiArn` is for image semantic segmentation.",
    model("UiConfig$HumanTaskUiArn"),
)
REQUIRED_URI = Rule(
    "required-files",
    "Template, label category file and manifest are named.",
    guide("sms-create-labeling-job-api"),
)
S3_URI = Rule(
    "s3-uri", "A file is named as `s3://bucket/key`.", assumed("the model's pattern takes `https://` as well")
)
PUBLIC_TEAM = Rule(
    "public-team",
    "The public work team and its price are refused.",
    reference("Mechanical Turk: closed on 2026-09-30"),
)
TEAM_REGION = Rule(
    "team-region",
    "The work team is in the job's Region.",
    assumed("a team's ARN has a Region; that it must be the job's, and the answer, is not told"),
)
TIME_LIMIT = Rule(
    "task-time-limit",
    "`TaskTimeLimitInSeconds` of an image job is at most 28,800.",
    model("HumanTaskConfig$TaskTimeLimitInSeconds"),
)
AVAILABILITY = Rule(
    "availability",
    "`TaskAvailabilityLifetimeInSeconds` is at most 30 days for a private or vendor work team.",
    model("HumanTaskConfig$TaskAvailabilityLifetimeInSeconds"),
)
ROLE_ACCOUNT = Rule(
    "role-account",
    "The role is of the caller's account.",
    reference("IAM User Guide, id_roles_use_passrole: only to a service of the same account"),
)
KEY_REGION = Rule(
    "key-region",
    "A KMS key is in the job's Region.",
    assumed("S3 takes keys of the bucket's Region; when the service says so is not told"),
)
ALGORITHM = Rule(
    "automated-labeling-arn",
    "Automated labeling has one specification ARN for segmentation in each Region.",
    model("LabelingJobAlgorithmsConfig$LabelingJobAlgorithmSpecificationArn"),
)
NO_AUTOMATION = Rule(
    "no-automated-adjustment", "Only first labels are automated.", guide("sms-automated-labeling")
)
TAG_KEYS = Rule(
    "tag-keys-unique",
    "A tag key is given once.",
    model("AddTags: tag keys must be unique per resource"),
)
TAG_RESERVED = Rule(
    "tag-key-reserved",
    "A tag key doesn't start with `aws:`.",
    reference("Tagging AWS resources: `aws:` is reserved"),
)

MAX_AUTOMATED_LABELS = 20
MIN_AUTOMATED_OBJECTS = 1_250

_MAX_TASK_TIME_LIMIT = 28_800
_MAX_AVAILABILITY = 2_592_000
_DEFAULT_AVAILABILITY = 2_592_000
_DEFAULT_CONCURRENCY = 1_000
_RESERVED_ATTRIBUTES = frozenset({"source", "source-ref"})
_PUBLIC_TEAM = ":394669845002:workteam/public-crowd/"
_AUTOMATED_LABELING_ACCOUNT = "027400017018"
_KMS_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(?:key|alias)/.+")


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key; the key may be empty for an output path."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def join(self, *parts: str) -> S3Location:
        """Return the location of something under this one."""
        return S3Location(self.bucket, "/".join([self.key.strip("/"), *parts]).lstrip("/"))


def parse_s3_uri(uri: str) -> S3Location | None:
    """Take an ``s3://`` URI apart; ``None`` if it isn't one. Keys are taken as they are, never unquoted."""
    if not uri.startswith("s3://"):
        return None
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return S3Location(bucket, key) if bucket else None


@holds(DEFAULTS)
def with_defaults(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request as DescribeLabelingJob shows it: with the documented defaults of HumanTaskConfig."""
    task = {
        "TaskAvailabilityLifetimeInSeconds": _DEFAULT_AVAILABILITY,
        "MaxConcurrentTaskCount": _DEFAULT_CONCURRENCY,
    } | request["HumanTaskConfig"]
    return request | {"HumanTaskConfig": task}


def task_type(request: dict[str, Any]) -> str:
    """Return the built-in task type that a checked request asks for."""
    function = builtin.parse_function(request["HumanTaskConfig"]["PreHumanTaskLambdaArn"])
    assert function is not None, "checked by check_create"
    return function.task


def check_create(request: dict[str, Any], *, region: str, account: str) -> None:
    """Raise ``ValidationException`` for the first rule that a request, valid by the model, breaks."""
    task = builtin.check_functions(request["HumanTaskConfig"], region)
    _check_attribute(request["LabelAttributeName"], task)
    _check_input(request["InputConfig"])
    _check_uris(request)
    _check_human_task(request["HumanTaskConfig"], region)
    _check_role(request["RoleArn"], account)
    _check_kms(request["OutputConfig"].get("KmsKeyId"), "OutputConfig.KmsKeyId", region)
    _check_automated(request, region, task)
    check_tags(request.get("Tags", []))


def _check_attribute(name: str, task: str) -> None:
    """``CreateLabelingJobRequest$LabelAttributeName``; the reserved names are in "Chaining Labeling Jobs"."""
    if name in _RESERVED_ATTRIBUTES:
        raise validation(RESERVED, f"LabelAttributeName '{name}' is reserved.")
    if name.endswith("-metadata"):
        raise validation(METADATA, f"LabelAttributeName '{name}' must not end with '-metadata'.")
    if task == builtin.VERIFICATION and name.endswith("-ref"):
        raise validation(
            NO_REF, f"LabelAttributeName '{name}' must not end with '-ref' for the task type {task}."
        )
    if task != builtin.VERIFICATION and not name.endswith("-ref"):
        raise validation(REF, f"LabelAttributeName '{name}' must end with '-ref' for the task type {task}.")


def _check_input(config: dict[str, Any]) -> None:
    """``LabelingJobDataSource``: S3DataSource, SnsDataSource, or both."""
    source = config["DataSource"]
    if source.get("SnsDataSource") is not None:
        raise validation(
            STREAMING,
            "InputConfig.DataSource.SnsDataSource: this embedded service runs no streaming labeling jobs.",
        )
    if source.get("S3DataSource") is None:
        raise validation(DATA_SOURCE, "InputConfig.DataSource must have an S3DataSource or an SnsDataSource.")


def _check_uris(request: dict[str, Any]) -> None:
    ui = request["HumanTaskConfig"]["UiConfig"]
    if ui.get("HumanTaskUiArn") is not None:
        # UiConfig$HumanTaskUiArn lists named entities, point clouds and video frames only.
        raise validation(
            TASK_UI,
            "UiConfig.HumanTaskUiArn has no entry for image semantic segmentation; use UiTemplateS3Uri.",
        )
    named = {
        "UiConfig.UiTemplateS3Uri": ui.get("UiTemplateS3Uri"),
        "LabelCategoryConfigS3Uri": request.get("LabelCategoryConfigS3Uri"),
        "S3DataSource.ManifestS3Uri": request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"],
    }
    for member, uri in named.items():
        if not uri:
            raise validation(REQUIRED_URI, f"{member} is required for image semantic segmentation.")
        location = parse_s3_uri(uri)
        if location is None or not location.key:
            raise validation(S3_URI, f"{member} '{uri}' must name an S3 object as 's3://bucket/key'.")
    output = request["OutputConfig"]["S3OutputPath"]
    if parse_s3_uri(output) is None or urlsplit(output).query:
        raise validation(
            S3_URI, f"OutputConfig.S3OutputPath '{output}' must be of the form 's3://bucket/prefix'."
        )


def _check_human_task(task: dict[str, Any], region: str) -> None:
    arn = task["WorkteamArn"]
    if _PUBLIC_TEAM in arn or task.get("PublicWorkforceTaskPrice") is not None:
        raise validation(
            PUBLIC_TEAM,
            "The public work team is not available: Amazon Mechanical Turk closed on 2026-09-30. "
            "Use a private or vendor work team, and no PublicWorkforceTaskPrice.",
        )
    if arn.split(":")[3] != region:
        raise validation(TEAM_REGION, f"WorkteamArn '{arn}' must be in the job's Region '{region}'.")
    if task["TaskTimeLimitInSeconds"] > _MAX_TASK_TIME_LIMIT:
        raise validation(
            TIME_LIMIT,
            f"TaskTimeLimitInSeconds {task['TaskTimeLimitInSeconds']} must be at most {_MAX_TASK_TIME_LIMIT} "
            "(8 hours) for an image labeling job.",
        )
    if task.get("TaskAvailabilityLifetimeInSeconds", 0) > _MAX_AVAILABILITY:
        raise validation(
            AVAILABILITY,
            f"TaskAvailabilityLifetimeInSeconds {task['TaskAvailabilityLifetimeInSeconds']} must be at most "
            f"{_MAX_AVAILABILITY} (30 days) for a private or vendor work team.",
        )


def _check_role(role_arn: str, account: str) -> None:
    if role_arn.split(":")[4] != account:
        raise validation(
            ROLE_ACCOUNT,
            f"RoleArn '{role_arn}' must be a role of account {account}: "
            "cross-account pass role is not allowed.",
        )


def _check_kms(key: str | None, member: str, region: str) -> None:
    match = _KMS_ARN.fullmatch(key) if key else None
    if match is not None and match["region"] != region:
        raise validation(KEY_REGION, f"{member} '{key}' must be in the job's Region '{region}'.")


def _check_automated(request: dict[str, Any], region: str, task: str) -> None:
    """``LabelingJobAlgorithmsConfig$LabelingJobAlgorithmSpecificationArn``."""
    config = request.get("LabelingJobAlgorithmsConfig")
    if config is None:
        return
    expected = (
        f"arn:aws:sagemaker:{region}:{_AUTOMATED_LABELING_ACCOUNT}:"
        "labeling-job-algorithm-specification/semantic-segmentation"
    )
    arn = config["LabelingJobAlgorithmSpecificationArn"]
    if arn != expected:
        raise validation(ALGORITHM, f"LabelingJobAlgorithmSpecificationArn '{arn}' must be '{expected}'.")
    if task != builtin.SEGMENTATION:
        raise validation(NO_AUTOMATION, f"Automated data labeling is not supported for the task type {task}.")
    resources = config.get("LabelingJobResourceConfig") or {}
    _check_kms(resources.get("VolumeKmsKeyId"), "LabelingJobResourceConfig.VolumeKmsKeyId", region)


def check_tags(tags: list[dict[str, str]]) -> None:
    """Raise ``ValidationException`` for tag keys that are given twice or reserved."""
    keys = [tag["Key"] for tag in tags]
    duplicates = sorted({key for key in keys if keys.count(key) > 1})
    if duplicates:
        raise validation(TAG_KEYS, f"Tag keys must be unique, but '{duplicates[0]}' is given more than once.")
    reserved = [key for key in keys if key.lower().startswith("aws:")]
    if reserved:
        raise validation(
            TAG_RESERVED, f"Tag key '{reserved[0]}' must not start with 'aws:', which is reserved."
        )
