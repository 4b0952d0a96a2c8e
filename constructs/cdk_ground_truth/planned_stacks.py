"""Labeling jobs of a cloud assembly beside those that its stacks have now, with their values filled in."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .command_line import UsageError

JOB: Final = "Custom::SemanticSegmentationLabelingJob"
#: Stands where a value is known to the deploy alone; no name of AWS's can have it.
UNKNOWN: Final = "<known to the deploy>"


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
            if any(each["Type"] == JOB for each in template.get("Resources", {}).values()):
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
        values = _Values(
            {**deployed.get("Resources", {}), **template["Resources"]}, physical, region, account
        )
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] != JOB:
                continue
            before = deployed.get("Resources", {}).get(logical_id)
            has_one = before is not None and logical_id in physical
            yield PlannedJob(
                path=str(resource.get("Metadata", {}).get("aws:cdk:path", logical_id)).removesuffix(
                    "/Default"
                ),
                stack_id=stack_id,
                logical_id=logical_id,
                new=values.filled(resource["Properties"]),
                old=values.filled(before["Properties"]) if has_one else None,
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
    except (ClientError, BotoCoreError) as error:
        if "does not exist" in str(error):
            return "", {}, {}
        raise UsageError(f"the stack {stack} can't be asked about: {error}") from error
    try:
        body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        listed = [each for page in pages for each in page["StackResourceSummaries"]]
    except (ClientError, BotoCoreError) as error:
        raise UsageError(f"the stack {stack} can't be read: {error}") from error
    template = body if isinstance(body, Mapping) else json.loads(body)
    physical = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in listed
        if "PhysicalResourceId" in each
    }
    return str(found["StackId"]), template, physical


class _Values:
    """Fills CloudFormation's functions with what a stack's resources are called now."""

    def __init__(
        self, resources: Mapping[str, Any], physical: Mapping[str, str], region: str, account: str
    ) -> None:
        self._resources, self._physical = resources, physical
        partition = "aws-cn" if region.startswith("cn-") else "aws"
        self._pseudo = {"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": partition}

    def filled(self, value: Any) -> Any:
        """The value without functions."""
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref":
                return self._named(argument)
            if name == "Fn::GetAtt":
                return self._attribute(*argument)
            if name == "Fn::Join":
                separator, parts = argument
                return separator.join(str(self.filled(part)) for part in parts)
            if name == "Fn::Sub" and isinstance(argument, str):
                return re.sub(r"\$\{([^!}][^}]*)\}", lambda found: self._named(found[1]), argument)
            if name.startswith("Fn::"):
                return UNKNOWN
        return {key: self.filled(each) for key, each in value.items()}

    def _named(self, name: str) -> str:
        return self._pseudo.get(name) or self._physical.get(name) or UNKNOWN

    def _attribute(self, name: str, attribute: str) -> str:
        physical = self._physical.get(name)
        kind = self._resources.get(name, {}).get("Type")
        partition, account = self._pseudo["AWS::Partition"], self._pseudo["AWS::AccountId"]
        prefix = {
            "AWS::S3::Bucket": f"arn:{partition}:s3:::",
            "AWS::IAM::Role": f"arn:{partition}:iam::{account}:role/",
        }.get(kind)
        return f"{prefix}{physical}" if physical and prefix and attribute == "Arn" else UNKNOWN


def _packed(source: Path, packaging: str) -> bytes:
    if packaging != "zip" or source.is_file():
        return source.read_bytes()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            # Any time will do: an image is known by its name and content.
            archive.writestr(zipfile.ZipInfo(path.relative_to(source).as_posix()), path.read_bytes())
    return file.getvalue()
