"""What a caller must be allowed to do, by the Service Authorization Reference for SageMaker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .jobs import JobBook, job_arn
from .teams import team_arn
from .types import Call, Check

_ON_JOB = frozenset({"CreateLabelingJob", "DescribeLabelingJob", "StopLabelingJob"})
_ON_TEAM = frozenset({"CreateWorkteam", "DescribeWorkteam", "UpdateWorkteam", "DeleteWorkteam"})
_ON_ARN = frozenset({"AddTags", "ListTags", "DeleteTags"})


def checks(call: Call, jobs: JobBook) -> list[Check]:
    """Return the permissions that a call needs; a malformed body is none of this function's business."""
    resource = _resource(call)
    context: dict[str, str | Sequence[str]] = {}
    context |= _resource_tags(jobs.tags(resource) or {})
    context |= _request_tags(call.body)
    if call.operation == "CreateLabelingJob":
        context |= _job_keys(call.body)
    found = [Check(action=f"sagemaker:{call.operation}", resource_arn=resource, context=context)]
    if call.operation.startswith("Create") and call.body.get("Tags"):
        # A dependent action of both Create operations: tagging on creation. Service Authorization Reference,
        # SageMaker, condition keys of AddTags: `sagemaker:TaggingAction` is the operation that adds the tags.
        tagging = {**context, "sagemaker:TaggingAction": call.operation}
        found.append(Check(action="sagemaker:AddTags", resource_arn=resource, context=tagging))
    role = call.body.get("RoleArn")
    if call.operation == "CreateLabelingJob" and isinstance(role, str):
        passed = {"iam:PassedToService": "sagemaker.amazonaws.com", "iam:AssociatedResourceArn": resource}
        found.append(Check(action="iam:PassRole", resource_arn=role, context=passed))
    return found


def _resource(call: Call) -> str:
    if call.operation in _ON_JOB:
        return job_arn(call.account, call.region, _text(call.body.get("LabelingJobName")))
    if call.operation in _ON_TEAM:
        return team_arn(call.account, call.region, _text(call.body.get("WorkteamName")))
    if call.operation in _ON_ARN:
        return _text(call.body.get("ResourceArn")) or "*"
    if call.operation == "ListLabelingJobsForWorkteam":
        return _text(call.body.get("WorkteamArn")) or "*"
    return "*"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _resource_tags(tags: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in tags.items():
        found[f"aws:ResourceTag/{key}"] = value
        found[f"sagemaker:ResourceTag/{key}"] = value
    return found


def _request_tags(body: dict[str, Any]) -> dict[str, str | Sequence[str]]:
    tags = body.get("Tags")
    entries = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    found: dict[str, str | Sequence[str]] = {
        f"aws:RequestTag/{_text(tag.get('Key'))}": _text(tag.get("Value")) for tag in entries
    }
    keys = [_text(tag.get("Key")) for tag in entries]
    removed = body.get("TagKeys")
    if isinstance(removed, list):
        keys += [key for key in removed if isinstance(key, str)]
    if keys:
        found["aws:TagKeys"] = keys
    return found


def _job_keys(body: dict[str, Any]) -> dict[str, str | Sequence[str]]:
    """``sagemaker:WorkteamArn``, ``WorkteamType``, ``OutputKmsKey``, ``VolumeKmsKey``."""
    team = _text(_dig(body, "HumanTaskConfig", "WorkteamArn"))
    found: dict[str, str | Sequence[str]] = {}
    if team:
        found["sagemaker:WorkteamArn"] = team
        found["sagemaker:WorkteamType"] = team.rpartition("workteam/")[2].partition("/")[0]
    for key, path in {
        "sagemaker:OutputKmsKey": ("OutputConfig", "KmsKeyId"),
        "sagemaker:VolumeKmsKey": (
            "LabelingJobAlgorithmsConfig",
            "LabelingJobResourceConfig",
            "VolumeKmsKeyId",
        ),
    }.items():
        value = _text(_dig(body, *path))
        if value:
            found[key] = value
    return found


def _dig(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
