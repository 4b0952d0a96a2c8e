"""The Developer Guide's rules for CreateLabelingJob, beyond what the service model can say.

Limited to image semantic segmentation. Each rule names the page or member that it comes from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import builtin
from .errors import validation

MAX_OBJECTS = 20_000
"""Input data quotas: semantic segmentation jobs take 20,000 objects, and the quota can't be raised."""
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
    task = _check_functions(request["HumanTaskConfig"], region)
    _check_attribute(request["LabelAttributeName"], task)
    _check_input(request["InputConfig"])
    _check_uris(request)
    _check_human_task(request["HumanTaskConfig"], region)
    _check_role(request["RoleArn"], account)
    _check_kms(request["OutputConfig"].get("KmsKeyId"), "OutputConfig.KmsKeyId", region)
    _check_automated(request, region, task)
    check_tags(request.get("Tags", []))


def _check_functions(task: dict[str, Any], region: str) -> str:
    """``HumanTaskConfig$PreHumanTaskLambdaArn`` lists one account for each Region and function."""
    pre = _built_in(task.get("PreHumanTaskLambdaArn"), "PreHumanTaskLambdaArn", "PRE", region)
    consolidation = task.get("AnnotationConsolidationConfig") or {}
    acs = _built_in(
        consolidation.get("AnnotationConsolidationLambdaArn"),
        "AnnotationConsolidationLambdaArn",
        "ACS",
        region,
    )
    if pre != acs:
        raise validation(
            f"PreHumanTaskLambdaArn is for the task type {pre}, but "
            f"AnnotationConsolidationLambdaArn is for {acs}."
        )
    return pre


def _built_in(arn: str | None, member: str, stage: str, region: str) -> str:
    if not arn:
        raise validation(f"{member} is required for the built-in task type {stage}-{builtin.SEGMENTATION}.")
    function = builtin.parse_function(arn)
    if function is None or function.stage != stage:
        raise validation(
            f"{member} '{arn}' is not a built-in {stage}- function of image semantic segmentation; "
            "this service runs no other task types and no functions of your own."
        )
    if region not in builtin.regions():
        listed = ", ".join(builtin.regions())
        raise validation(f"Ground Truth is not available in '{region}'. It is in: {listed}.")
    owner = builtin.owner(region, stage, function.task)
    expected = f"arn:aws:lambda:{region}:{owner}:function:{stage}-{function.task}"
    if function.region != region:
        raise validation(
            f"{member} '{arn}' is in '{function.region}', the job is in '{region}': use '{expected}'."
        )
    if function.account != owner:
        raise validation(
            f"{member} '{arn}' is not owned by Ground Truth: account {function.account} is wrong for "
            f"'{region}', use '{expected}'."
        )
    return function.task


def _check_attribute(name: str, task: str) -> None:
    """``CreateLabelingJobRequest$LabelAttributeName``; the reserved names are in "Chaining Labeling Jobs"."""
    if name in _RESERVED_ATTRIBUTES:
        raise validation(f"LabelAttributeName '{name}' is reserved.")
    if name.endswith("-metadata"):
        raise validation(f"LabelAttributeName '{name}' must not end with '-metadata'.")
    if task == builtin.VERIFICATION and name.endswith("-ref"):
        raise validation(f"LabelAttributeName '{name}' must not end with '-ref' for the task type {task}.")
    if task != builtin.VERIFICATION and not name.endswith("-ref"):
        raise validation(f"LabelAttributeName '{name}' must end with '-ref' for the task type {task}.")


def _check_input(config: dict[str, Any]) -> None:
    """``LabelingJobDataSource``: S3DataSource, SnsDataSource, or both."""
    source = config["DataSource"]
    if source.get("SnsDataSource") is not None:
        raise validation(
            "InputConfig.DataSource.SnsDataSource: this embedded service runs no streaming labeling jobs."
        )
    if source.get("S3DataSource") is None:
        raise validation("InputConfig.DataSource must have an S3DataSource or an SnsDataSource.")


def _check_uris(request: dict[str, Any]) -> None:
    ui = request["HumanTaskConfig"]["UiConfig"]
    if ui.get("HumanTaskUiArn") is not None:
        # UiConfig$HumanTaskUiArn lists named entities, point clouds and video frames only.
        raise validation(
            "UiConfig.HumanTaskUiArn has no entry for image semantic segmentation; use UiTemplateS3Uri."
        )
    named = {
        "UiConfig.UiTemplateS3Uri": ui.get("UiTemplateS3Uri"),
        "LabelCategoryConfigS3Uri": request.get("LabelCategoryConfigS3Uri"),
        "S3DataSource.ManifestS3Uri": request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"],
    }
    for member, uri in named.items():
        if not uri:
            raise validation(f"{member} is required for image semantic segmentation.")
        location = parse_s3_uri(uri)
        if location is None or not location.key:
            raise validation(f"{member} '{uri}' must name an S3 object as 's3://bucket/key'.")
    output = request["OutputConfig"]["S3OutputPath"]
    if parse_s3_uri(output) is None or urlsplit(output).query:
        raise validation(f"OutputConfig.S3OutputPath '{output}' must be of the form 's3://bucket/prefix'.")


def _check_human_task(task: dict[str, Any], region: str) -> None:
    arn = task["WorkteamArn"]
    if _PUBLIC_TEAM in arn or task.get("PublicWorkforceTaskPrice") is not None:
        raise validation(
            "The public work team is not available: Amazon Mechanical Turk closed on 2026-09-30. "
            "Use a private or vendor work team, and no PublicWorkforceTaskPrice."
        )
    if arn.split(":")[3] != region:
        raise validation(f"WorkteamArn '{arn}' must be in the job's Region '{region}'.")
    if task["TaskTimeLimitInSeconds"] > _MAX_TASK_TIME_LIMIT:
        raise validation(
            f"TaskTimeLimitInSeconds {task['TaskTimeLimitInSeconds']} must be at most {_MAX_TASK_TIME_LIMIT} "
            "(8 hours) for an image labeling job."
        )
    if task.get("TaskAvailabilityLifetimeInSeconds", 0) > _MAX_AVAILABILITY:
        raise validation(
            f"TaskAvailabilityLifetimeInSeconds {task['TaskAvailabilityLifetimeInSeconds']} must be at most "
            f"{_MAX_AVAILABILITY} (30 days) for a private or vendor work team."
        )


def _check_role(role_arn: str, account: str) -> None:
    if role_arn.split(":")[4] != account:
        raise validation(
            f"RoleArn '{role_arn}' must be a role of account {account}: "
            "cross-account pass role is not allowed."
        )


def _check_kms(key: str | None, member: str, region: str) -> None:
    match = _KMS_ARN.fullmatch(key) if key else None
    if match is not None and match["region"] != region:
        raise validation(f"{member} '{key}' must be in the job's Region '{region}'.")


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
        raise validation(f"LabelingJobAlgorithmSpecificationArn '{arn}' must be '{expected}'.")
    if task != builtin.SEGMENTATION:
        raise validation(f"Automated data labeling is not supported for the task type {task}.")
    resources = config.get("LabelingJobResourceConfig") or {}
    _check_kms(resources.get("VolumeKmsKeyId"), "LabelingJobResourceConfig.VolumeKmsKeyId", region)


def check_tags(tags: list[dict[str, str]]) -> None:
    """Raise ``ValidationException`` for tag keys that are given twice or reserved."""
    keys = [tag["Key"] for tag in tags]
    duplicates = sorted({key for key in keys if keys.count(key) > 1})
    if duplicates:
        raise validation(f"Tag keys must be unique, but '{duplicates[0]}' is given more than once.")
    reserved = [key for key in keys if key.lower().startswith("aws:")]
    if reserved:
        raise validation(f"Tag key '{reserved[0]}' must not start with 'aws:', which is reserved.")
