"""Stacks of the public API, really deployed on the embedded AWS with the real CLI."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aws_cdk import App, CfnOutput, Stack
from PIL import Image

from cdk_ground_truth import SemanticSegmentationLabelingJob, Workteam
from ground_truth_local.cdk_cli import CdkCli

LABELS = ["road", "building", "pedestrian"]
MEMBERS = ["ada@example.com", "grace@example.com", "katherine@example.com"]


class Deployer:
    """Synthesizes an app in this process and deploys it with the real CLI, as the deploy user."""

    def __init__(self, aws: Any, folder: Any) -> None:
        self.aws = aws
        self._folder = folder
        self._made: list[tuple[CdkCli, str]] = []
        self.workteam_arn = aws.create_workteam("annotators", MEMBERS)

    def __call__(
        self, name: str, build: Callable[..., Any], *, break_template: Callable[[Any], object] | None = None
    ) -> dict[str, str]:
        """Deploy the job that `build(stack, workteam)` makes; return the stack's outputs.

        `break_template` changes the synthesized template, as a mistake or somebody else's policy would.
        """
        app = App(outdir=str(self._folder.mktemp(name) / "cdk.out"))
        stack = Stack(app, name)
        team = Workteam.from_workteam_arn(stack, "Team", self.workteam_arn)
        job: SemanticSegmentationLabelingJob = build(stack, team)
        CfnOutput(stack, "JobName", value=job.job_name)
        CfnOutput(stack, "OutputManifest", value=job.output_manifest_s3_uri)
        assembly = Path(app.synth().directory)
        if break_template is not None:
            file = assembly / f"{name}.template.json"
            template = json.loads(file.read_text())
            break_template(template["Resources"])
            file.write_text(json.dumps(template))
        cli = CdkCli(assembly, self.aws.environment)
        self._made.append((cli, name))
        return cli.deploy(name)[name]

    def destroy(self, name: str) -> None:
        """Destroy one stack."""
        cli = next(cli for cli, made in reversed(self._made) if made == name)
        self._made = [(cli, made) for cli, made in self._made if made != name]
        cli.destroy(name)

    def destroy_all(self) -> None:
        while self._made:
            cli, name = self._made.pop()
            cli.destroy(name)


@pytest.fixture(scope="session")
def deployer(embedded_aws: Any, tmp_path_factory: Any) -> Iterator[Deployer]:
    deployer = Deployer(embedded_aws, tmp_path_factory)
    yield deployer
    deployer.destroy_all()


@pytest.fixture(scope="session")
def photos(tmp_path_factory: Any) -> Any:
    """Two small pictures in a folder."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(picture(name))
    return folder


@pytest.fixture(scope="session")
def sagemaker(embedded_aws: Any) -> Any:
    return embedded_aws.session().client("sagemaker")


@pytest.fixture
def photo_bucket(embedded_aws: Any) -> Callable[..., str]:
    """Makes buckets that the stacks don't own, with pictures and, unless told otherwise, CORS."""
    s3 = embedded_aws.session().client("s3")

    def make(name: str, *, count: int = 2, cors: bool = True, files: dict[str, bytes] | None = None) -> str:
        s3.create_bucket(Bucket=name)
        if cors:
            rule = {
                "AllowedMethods": ["GET"],
                "AllowedOrigins": ["*"],
                "ExposeHeaders": ["Access-Control-Allow-Origin"],
            }
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
        body = picture(name)
        for index in range(count):
            s3.put_object(Bucket=name, Key=f"photos/{index:05}.png", Body=body)
        for key, content in (files or {}).items():
            s3.put_object(Bucket=name, Key=key, Body=content)
        return name

    return make


def picture(seed: str, size: tuple[int, int] = (48, 32)) -> bytes:
    """A small PNG with a few areas of colour."""
    generator = np.random.default_rng(sum(seed.encode()))
    pixels = np.kron(generator.integers(0, 255, (4, 6, 3)), np.ones((size[1] // 4, size[0] // 6, 1)))
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
