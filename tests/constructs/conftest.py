"""One way to make a job, and one way to read its template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Stage

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

ACCOUNT = "444455556666"
TEAM_ARN = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/annotators"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff" + bytes(20)


class Synthesized:
    """A stack's template, with CloudFormation's own functions evaluated on request."""

    def __init__(self, stack: Stack, region: str = "eu-west-1") -> None:
        app = stack.node.root
        assert isinstance(app, Stage)
        assembly = app.synth()
        self.directory = Path(assembly.directory)
        self.template: dict[str, Any] = assembly.get_stack_artifact(stack.artifact_id).template
        self.text = json.dumps(self.template)
        self.resources: dict[str, Any] = self.template.get("Resources", {})
        self.region = region

    def of_type(self, kind: str) -> dict[str, Any]:
        return {name: each for name, each in self.resources.items() if each["Type"] == kind}

    def only(self, kind: str) -> dict[str, Any]:
        (resource,) = self.of_type(kind).values()
        return resource

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.of_type("Custom::SemanticSegmentationLabelingJob").values())

    def delivered(self, index: int = 0) -> dict[str, Any]:
        """The job's properties as CloudFormation hands them to a handler."""
        return _as_strings(self.resolve(self.jobs()[index]["Properties"]))

    def statements(self, prefix: str) -> list[dict[str, Any]]:
        """All statements of the policies and roles whose logical id starts so, resolved."""
        found = []
        for name, resource in self.resources.items():
            if name.startswith(prefix):
                properties = self.resolve(resource["Properties"])
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
                if "PolicyDocument" in properties:
                    documents.append(properties["PolicyDocument"])
                found += [statement for document in documents for statement in document["Statement"]]
        return found

    def allowed(self, prefix: str, action: str) -> set[str]:
        """The resources on which an action is allowed."""
        return {
            resource
            for statement in self.statements(prefix)
            if action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    def resolve(self, value: Any) -> Any:
        pseudo = {
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:stack/Test/0",
        }
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, body),) = value.items()
            if name == "Ref":
                return pseudo.get(body) or self._reference(body)
            if name == "Fn::GetAtt":
                return self._attribute(*body)
            if name == "Fn::Join":
                return body[0].join(self.resolve(body[1]))
            if name == "Fn::Sub":
                return re.sub(r"\$\{(.+?)\}", lambda match: pseudo[match[1]], body)
            if name == "Fn::FindInMap":
                table, first, second = self.resolve(body)
                return self.template["Mappings"][table][first][second]
            if name == "Fn::ImportValue":
                return f"arn:aws:s3:::{body.lower().replace(':', '-')}"
        return {name: self.resolve(body) for name, body in value.items()}

    def _reference(self, name: str) -> str:
        kind = self.resources[name]["Type"]
        if kind == "AWS::SNS::Topic":
            return f"arn:aws:sns:{self.region}:{ACCOUNT}:{name}"
        if kind == "AWS::SageMaker::Workteam":
            return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:workteam/private-crowd/{name}"
        return name.lower() if kind == "AWS::S3::Bucket" else name

    def _attribute(self, name: str, attribute: str) -> str:
        service = {
            "AWS::S3::Bucket": f"arn:aws:s3:::{name.lower()}",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{name}",
            "AWS::KMS::Key": f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{name}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{self.region}:{ACCOUNT}:log-group:{name}:*",
        }
        return service.get(self.resources[name]["Type"], f"{name}.{attribute}")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_strings(body) for name, body in value.items()}
    if isinstance(value, list):
        return [_as_strings(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A directory with an image in it, one in a folder, and what is no image."""
    folder = tmp_path / "photos"
    (folder / "sub folder").mkdir(parents=True)
    (folder / "one.png").write_bytes(PNG)
    (folder / "sub folder" / "straße 2.JPG").write_bytes(JPEG)
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def new_stack(tmp_path: Path) -> Callable[..., Stack]:
    """Make a stack in an app of its own."""
    count = 0

    def make(
        name: str = "Test", *, region: str | None = None, context: dict[str, Any] | None = None
    ) -> Stack:
        nonlocal count
        count += 1
        app = App(outdir=str(tmp_path / f"out{count}"), context=context)
        env = Environment(region=region, account=ACCOUNT) if region else None
        return Stack(app, name, env=env)

    return make


@pytest.fixture
def stack(new_stack: Callable[..., Stack]) -> Stack:
    return new_stack()


@pytest.fixture
def add_job(photos: Path) -> Callable[..., SemanticSegmentationLabelingJob]:
    """Add a job with the three arguments that it needs, and others over them."""

    def add(scope: Stack, construct_id: str = "Job", **arguments: Any) -> SemanticSegmentationLabelingJob:
        if "workteam" not in arguments:
            team = scope.node.try_find_child("Team")
            arguments["workteam"] = team or Workteam.from_workteam_arn(scope, "Team", TEAM_ARN)
            _ALIVE.append(arguments["workteam"])
        arguments.setdefault("images", Images.from_directory(photos))
        arguments.setdefault("labels", ["road", "building"])
        return SemanticSegmentationLabelingJob(scope, construct_id, **arguments)

    return add


_ALIVE: list[Workteam] = []


@pytest.fixture
def synth() -> Callable[..., Synthesized]:
    return Synthesized


def role_of(template: Synthesized | dict[str, Any], job: str = "Job") -> str:
    """The logical id of a job's execution role, which depends on what the job is made of."""
    resources = template if isinstance(template, dict) else template.resources
    [name] = [
        name
        for name, each in resources.items()
        if each["Type"] == "AWS::IAM::Role" and name.startswith(f"{job}ExecutionRole")
    ]
    return name
