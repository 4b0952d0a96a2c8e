"""Asks one question by a real client: of the embedded AWS or of a real account, in the same way."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..service.builtin import owner
from .rows import Row

_REPEATED = re.compile(r"<([a-z])\*(\d+)>")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Who is asked, and the names that rows stand for."""

    account: str
    region: str
    role: str
    workteam: str
    files: str = "s3://cdk-ground-truth-conformance-no-such-bucket"

    def names(self) -> dict[str, str]:
        """Return what the table's placeholders stand for."""
        return {
            "{account}": self.account,
            "{region}": self.region,
            "{role}": self.role,
            "{team}": self.workteam,
            "{functions}": f"arn:aws:lambda:{self.region}:"
            f"{owner(self.region, 'PRE', 'SemanticSegmentation')}:function",
        }


def client(region: str, *, endpoint: str | None, session: boto3.Session | None = None) -> Any:
    """Return a SageMaker client that sends what it is told, right or wrong."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 3})
    made = session or boto3.Session()
    return made.client("sagemaker", region_name=region, endpoint_url=endpoint, config=config)


def filled(value: Any, names: dict[str, str]) -> Any:
    """Return a table's value with its placeholders filled in; `<x*300>` is a long text."""
    if isinstance(value, dict):
        return {filled(key, names): filled(entry, names) for key, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, names) for entry in value]
    if not isinstance(value, str):
        return value
    for name, meaning in names.items():
        value = value.replace(name, meaning)
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), value)


def request(row: Row, place: Place, *, prefix: str = "") -> dict[str, Any]:
    """Return the body of a row's call."""
    names = place.names()
    if row.call != "CreateLabelingJob":
        return dict(filled(row.request, names))
    files = f"{place.files}/{prefix or row.name}"
    functions = names["{functions}"]
    body: dict[str, Any] = {
        "LabelingJobName": row.name,
        "LabelAttributeName": "label-ref",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"{files}/input.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://output/labels/"},
        "RoleArn": place.role,
        "LabelCategoryConfigS3Uri": f"{files}/categories.json",
        "HumanTaskConfig": {
            "WorkteamArn": place.workteam,
            "UiConfig": {"UiTemplateS3Uri": f"{files}/template.html"},
            "PreHumanTaskLambdaArn": f"{functions}:PRE-SemanticSegmentation",
            "TaskTitle": "Paint",
            "TaskDescription": "Paint each class.",
            "NumberOfHumanWorkersPerDataObject": row.workers,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": f"{functions}:ACS-SemanticSegmentation"
            },
        },
    }
    for path, value in row.request.items():
        _change(body, path.split("."), filled(copy.deepcopy(value), names))
    return body


def _change(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    if value == "~":
        body.pop(path[-1], None)
    else:
        body[path[-1]] = value


def ask(sagemaker: Any, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask; return `answer` or `error`, with `code` and `message`."""
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)
    try:
        answer = getattr(sagemaker, method.lstrip("_"))(**body)
    except ClientError as error:
        told = error.response.get("Error", {})
        return {"error": {"code": told.get("Code", ""), "message": told.get("Message", "")}}
    except BotoCoreError as error:
        return {"error": {"code": type(error).__name__, "message": str(error)}}
    answer.pop("ResponseMetadata", None)
    return {"answer": answer}
