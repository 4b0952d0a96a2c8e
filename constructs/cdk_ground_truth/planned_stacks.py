"""Labeling jobs of a cloud assembly beside those that its stacks have now, with their values filled in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._rooms import contract
from .command_line import UsageError
from .template_values import Evaluation, as_delivered


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """One job of a stack.

    Attributes:
        path: The construct's, or the logical id.
        stack_id: The stack's ARN; empty where there is none yet.
        logical_id: In its template.
        new: Its properties in the assembly.
        old: Its properties as they are deployed; None where there is no such job yet.
        name: The job that the stack has now; empty likewise.
    """

    path: str
    stack_id: str
    logical_id: str
    new: Mapping[str, Any]
    old: Mapping[str, Any] | None
    name: str


class Assembly:
    """A folder that `cdk synth` has written.

    Raises:
        UsageError: It is none.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        try:
            manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
            self._artifacts: Mapping[str, Any] = manifest["artifacts"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{folder} is no cloud assembly; run cdk synth first: {error}") from error

    def stacks(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Name and template of each stack that has a labeling job."""
        for artifact_id, artifact in self._artifacts.items():
            if artifact["type"] != "aws:cloudformation:stack":
                continue
            properties = artifact["properties"]
            template = json.loads((self.folder / properties["templateFile"]).read_text(encoding="utf-8"))
            if any(each["Type"] == contract.RESOURCE_TYPE for each in template.get("Resources", {}).values()):
                yield str(properties.get("stackName", artifact_id)), template

    def asset(self, key: str) -> bytes | None:
        """What `cdk deploy` would publish under a key; None for another object's."""
        for artifact in self._artifacts.values():
            if artifact["type"] != "cdk:asset-manifest":
                continue
            file = self.folder / artifact["properties"]["file"]
            for asset in json.loads(file.read_text(encoding="utf-8"))["files"].values():
                if any(place["objectKey"] == key for place in asset["destinations"].values()):
                    return _packed(file.parent / asset["source"]["path"], asset["source"]["packaging"])
        return None


def planned_jobs(assembly: Assembly, cloudformation: Any, region: str, account: str) -> Iterator[PlannedJob]:
    """The jobs of an assembly, in the order of their stacks."""
    for stack, template in assembly.stacks():
        stack_id, deployed, physical = _deployed(cloudformation, stack)
        known = _known(template["Resources"], physical, region, account)
        new, old = Evaluation(template, known), Evaluation(deployed, known)
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] != contract.RESOURCE_TYPE:
                continue
            before = deployed.get("Resources", {}).get(logical_id)
            has_one = before is not None and logical_id in physical
            yield PlannedJob(
                path=str(resource.get("Metadata", {}).get("aws:cdk:path", logical_id)).removesuffix(
                    "/Default"
                ),
                stack_id=stack_id,
                logical_id=logical_id,
                new=as_delivered(new.of(resource["Properties"])),
                old=as_delivered(old.of(before["Properties"])) if has_one else None,
                name=physical[logical_id] if has_one else "",
            )


def _deployed(cloudformation: Any, stack: str) -> tuple[str, Mapping[str, Any], dict[str, str]]:
    """A stack's ARN, its template, and its resources' physical ids; empty where there is no such stack.

    Raises:
        UsageError: CloudFormation refuses or can't be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        listed = [each for page in pages for each in page["StackResourceSummaries"]]
    except (ClientError, BotoCoreError) as error:
        if "does not exist" in str(error):
            return "", {}, {}
        raise UsageError(f"the stack {stack} can't be read: {error}") from error
    template = body if isinstance(body, Mapping) else json.loads(body)
    physical = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in listed
        if "PhysicalResourceId" in each
    }
    return str(found["StackId"]), template, physical


def _known(
    resources: Mapping[str, Any], physical: Mapping[str, str], region: str, account: str
) -> dict[str, str]:
    """What a stack's resources are called now, for `Ref` and, where it follows from the name, for `Arn`."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    begin = {
        "AWS::S3::Bucket": f"arn:{partition}:s3:::",
        "AWS::IAM::Role": f"arn:{partition}:iam::{account}:role/",
    }
    arns = {
        f"{name}.Arn": begin[resource["Type"]] + physical[name]
        for name, resource in resources.items()
        if resource["Type"] in begin and name in physical
    }
    pseudo = {"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": partition}
    return {**pseudo, **physical, **arns}


def _packed(source: Path, packaging: str) -> bytes:
    if packaging != "zip" or source.is_file():
        return source.read_bytes()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            # Any time will do: an image is known by its name and content.
            archive.writestr(zipfile.ZipInfo(path.relative_to(source).as_posix()), path.read_bytes())
    return file.getvalue()
