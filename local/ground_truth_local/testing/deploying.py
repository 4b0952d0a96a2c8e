"""Deploys a cloud assembly without the CDK's command line, which takes seconds to start.

Assets and stacks go the way that the CLI sends them: into the bootstrap's bucket, and through CloudFormation
with the bootstrap's execution role. What only the CLI can do (Docker images, lookups, stages) is left to it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from ..cdk_cli import CdkCli

if TYPE_CHECKING:
    from ..server import EmbeddedAws

_STACK, _ASSETS, _STAGE = "aws:cloudformation:stack", "cdk:asset-manifest", "cdk:cloud-assembly"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_LOOKS_EVERY, _LOOKS = 0.2, 3_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REASONS = 10


class DeployFailed(AssertionError):
    """A stack wasn't deployed; the message has CloudFormation's reasons."""


@dataclass(frozen=True)
class DeployedStack:
    """A stack that is there.

    Attributes:
        outputs: by name.
        physical_ids: of its resources, by logical id.
        template: as it was deployed.
    """

    name: str
    outputs: Mapping[str, str]
    physical_ids: Mapping[str, str]
    template: Mapping[str, Any]


class Deployer:
    """Deploys into one account."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        session = aws.session()
        self._s3, self._stacks = session.client("s3"), session.client("cloudformation")
        self._made: dict[str, CdkCli | None] = {}

    def deploy(self, assembly: Path) -> list[DeployedStack]:
        """Create or update all stacks of the assembly, in their order.

        Raises:
            DeployFailed: one of them failed, and was rolled back.
        """
        artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
        stacks = list(_in_order({k: v for k, v in artifacts.items() if v["type"] == _STACK}))
        names = [_name(artifact_id, stack) for artifact_id, stack in stacks]
        if _needs_cli(assembly, artifacts):
            cli = CdkCli(assembly, self._aws.environment)
            self._made |= dict.fromkeys(names, cli)
            cli.deploy()
        else:
            for artifact in artifacts.values():
                if artifact["type"] == _ASSETS:
                    self._publish(assembly / artifact["properties"]["file"])
            for name, (_, stack) in zip(names, stacks, strict=True):
                self._made.setdefault(name, None)
                self._put(name, stack["properties"])
        templates = [assembly / stack["properties"]["templateFile"] for _, stack in stacks]
        return [self._found(name, path) for name, path in zip(names, templates, strict=True)]

    def destroy_all(self) -> None:
        """Delete what was deployed, the last first."""
        for name, cli in reversed(self._made.items()):
            if cli is not None:
                cli.destroy(name)
                continue
            self._stacks.delete_stack(StackName=name)
            self._wait("stack_delete_complete", name)
        self._made.clear()

    def _publish(self, manifest: Path) -> None:
        for asset in json.loads(manifest.read_text())["files"].values():
            source = manifest.parent / asset["source"]["path"]
            for place in asset["destinations"].values():
                bucket = self._filled(place["bucketName"])
                if self._is_there(bucket, place["objectKey"]):
                    continue
                body = _zip(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
                self._s3.put_object(Bucket=bucket, Key=place["objectKey"], Body=body)

    def _is_there(self, bucket: str, key: str) -> bool:
        """A key is the hash of what the object holds."""
        try:
            self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return True

    def _put(self, name: str, properties: Mapping[str, Any]) -> None:
        bucket, _, key = self._filled(properties["stackTemplateAssetObjectUrl"])[5:].partition("/")
        request = {
            "StackName": name,
            "TemplateURL": f"{self._aws.endpoint_url}/{bucket}/{key}",
            "Capabilities": _CAPABILITIES,
            "RoleARN": self._filled(properties["cloudFormationExecutionRoleArn"]),
            "Parameters": [
                {"ParameterKey": parameter, "ParameterValue": value}
                for parameter, value in properties.get("parameters", {}).items()
            ],
            "Tags": [{"Key": tag, "Value": value} for tag, value in properties.get("tags", {}).items()],
        }
        if not self._exists(name):
            self._stacks.create_stack(**request)
            self._wait("stack_create_complete", name)
            return
        try:
            self._stacks.update_stack(**request)
        except ClientError as error:
            if "No updates" not in str(error):
                raise DeployFailed(f"{name} can't be updated: {error}") from error
            return
        self._wait("stack_update_complete", name)

    def _exists(self, name: str) -> bool:
        try:
            found = self._stacks.describe_stacks(StackName=name)["Stacks"]
        except ClientError:
            return False
        return bool(found) and found[0]["StackStatus"] != "DELETE_COMPLETE"

    def _wait(self, waiter: str, name: str) -> None:
        patience = {"Delay": _LOOKS_EVERY, "MaxAttempts": _LOOKS}
        try:
            self._stacks.get_waiter(waiter).wait(StackName=name, WaiterConfig=patience)
        except WaiterError as error:
            raise DeployFailed(f"{name} was not deployed:\n{self._reasons(name)}") from error

    def _reasons(self, name: str) -> str:
        events = self._stacks.describe_stack_events(StackName=name)["StackEvents"]
        told = [
            f"  {event['LogicalResourceId']} {event['ResourceStatus']}: {event['ResourceStatusReason']}"
            for event in reversed(events)
            if event.get("ResourceStatusReason") and "FAILED" in event["ResourceStatus"]
        ]
        return "\n".join(told[:_REASONS]) or "  CloudFormation gives no reason"

    def _found(self, name: str, template: Path) -> DeployedStack:
        stack = self._stacks.describe_stacks(StackName=name)["Stacks"][0]
        resources = self._stacks.describe_stack_resources(StackName=name)["StackResources"]
        return DeployedStack(
            name,
            {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])},
            {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in resources},
            json.loads(template.read_text()),
        )

    def _filled(self, text: str) -> str:
        for name, value in (
            ("AccountId", self._aws.account),
            ("Region", self._aws.region),
            ("Partition", "aws"),
        ):
            text = text.replace(f"${{AWS::{name}}}", value)
        return text


def _needs_cli(assembly: Path, artifacts: Mapping[str, Any]) -> bool:
    if json.loads((assembly / "manifest.json").read_text()).get("missing"):
        return True
    if any(artifact["type"] == _STAGE for artifact in artifacts.values()):
        return True
    manifests = [each["properties"]["file"] for each in artifacts.values() if each["type"] == _ASSETS]
    assets = [json.loads((assembly / file).read_text()) for file in manifests]
    with_a_command = [
        file for each in assets for file in each.get("files", {}).values() if "path" not in file["source"]
    ]
    return bool(with_a_command) or any(each.get("dockerImages") for each in assets)


def _name(artifact_id: str, stack: Mapping[str, Any]) -> str:
    return str(stack["properties"].get("stackName", artifact_id))


def _in_order(stacks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each stack after those that it depends on."""
    done: dict[str, None] = {}

    def visit(artifact_id: str) -> Iterator[tuple[str, Any]]:
        if artifact_id in done or artifact_id not in stacks:
            return
        done[artifact_id] = None
        for other in stacks[artifact_id].get("dependencies", ()):
            yield from visit(other)
        yield artifact_id, stacks[artifact_id]

    for artifact_id in stacks:
        yield from visit(artifact_id)


def _zip(folder: Path) -> bytes:
    """The folder as the CLI packs it: no times, and links as what they lead to."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return file.getvalue()
