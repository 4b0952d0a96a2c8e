"""What a CreateLabelingJob request names, taken apart for the checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rules.places import Place, place_of, prefix_of
from ..rules.task import LabelingTask

_FUNCTION = re.compile(r"arn:[^:]+:lambda:(?P<region>[^:]*):(?P<account>[^:]*):function:(?P<name>[^:]+)")


@dataclass(frozen=True, kw_only=True)
class Plan(LabelingTask):
    """A job as it is about to be created."""

    region: str
    role_arn: str
    manifest: Place | None
    output: Place | None
    categories: Place | None
    template: Place | None
    output_key: str
    workteam_arn: str
    functions: tuple[str, ...]
    concurrent_tasks: int
    #: Different workers who label each object.
    workers: int
    #: A job that is fed by messages has no manifest that could be read before.
    streaming: bool = False
    #: The prefix that is listed for images at each deploy, where there is one.
    listed: Place | None = None


def plan_of(request: Mapping[str, Any], *, region: str, listed: str = "") -> Plan:
    """Take a request apart; what is missing or unfit becomes None or empty, and is left to the checks."""
    task = request.get("HumanTaskConfig", {})
    sources = request.get("InputConfig", {}).get("DataSource", {})
    source = sources.get("S3DataSource", {})
    output = request.get("OutputConfig", {})
    pre = task.get("PreHumanTaskLambdaArn", "")
    acs = task.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn", "")
    return Plan(
        region=region,
        role_arn=request.get("RoleArn", ""),
        attribute=request.get("LabelAttributeName", ""),
        task_type=function_name(pre).removeprefix("PRE-"),
        manifest=place_of(source.get("ManifestS3Uri")),
        output=prefix_of(output.get("S3OutputPath")),
        categories=place_of(request.get("LabelCategoryConfigS3Uri")),
        template=place_of(task.get("UiConfig", {}).get("UiTemplateS3Uri")),
        output_key=output.get("KmsKeyId", ""),
        workteam_arn=task.get("WorkteamArn", ""),
        functions=(pre, acs),
        automated="LabelingJobAlgorithmsConfig" in request,
        concurrent_tasks=int(task.get("MaxConcurrentTaskCount", 0)),
        workers=int(task.get("NumberOfHumanWorkersPerDataObject", 1)),
        streaming="SnsDataSource" in sources and not source,
        listed=prefix_of(listed),
    )


def function_name(arn: str) -> str:
    """The name in a Lambda function's ARN."""
    match = _FUNCTION.fullmatch(arn)
    return match["name"] if match else ""
