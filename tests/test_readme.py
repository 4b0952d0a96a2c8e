"""The README tells the truth: its samples run, and each argument that it names is one."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from PIL import Image

import cdk_ground_truth

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
SAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
ARGUMENTS = re.findall(r"`((?:images|instructions|worker_template|input_bucket|\w+_\w+)=[^`]+)`", README)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the samples name: photographs, a picture, a template, a manifest."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "good.png")
    (tmp_path / "template.html").write_text((ROOT / "assets" / "worker-template.html").read_text())
    (tmp_path / "a.manifest").write_text('{"source-ref": "s3://photos/a.jpg"}\n')
    return tmp_path


def test_the_samples_run(folder) -> None:
    first, assertions = SAMPLES[0], next(sample for sample in SAMPLES if "assertions" in sample)
    names: dict = {}
    exec(first.replace("app.synth()", ""), names)
    exec(assertions, names)


def test_the_first_sample_is_the_fixed_one() -> None:
    assert SAMPLES[0].startswith("from aws_cdk import App, Stack\nfrom cdk_ground_truth import Images,")
    assert 'labels=["road", "building", "pedestrian"]' in SAMPLES[0]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_the_arguments_it_names_are_accepted(folder, arguments) -> None:
    stack = Stack(App(), "Streets")
    names = {
        **{name: getattr(cdk_ground_truth, name) for name in cdk_ground_truth.__all__},
        "bucket": s3.Bucket(stack, "Bucket"),
        "labels_bucket": s3.Bucket(stack, "Labels"),
        "key": kms.Key(stack, "Key"),
        "role": iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")),
    }
    given = eval(f"dict({arguments})", names)
    base = {
        "images": cdk_ground_truth.Images.from_directory("photos"),
        "labels": ["road"],
        "workteam": cdk_ground_truth.Workteam.from_workteam_arn(stack, "Team", TEAM),
    }
    job = cdk_ground_truth.SemanticSegmentationLabelingJob(stack, "Job", **{**base, **given})
    assert job.label_attribute_name == "streets-job-ref"


@pytest.mark.deploy
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("readme-demo")
def test_its_commands_read_what_the_demo_leaves(tmp_path: Path) -> None:
    commands = re.findall(r"^\$ (ground-truth-labels .*demo-output.*)$", README, re.MULTILINE)
    assert len(commands) == 2
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(command: str, folder: Path) -> None:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    # What `make demo` runs, but for the folder.
    run(f"python -m ground_truth_local.demo {shlex.quote(str(tmp_path / 'demo-output'))}", ROOT)
    for command in commands:
        run(command, tmp_path)
    assert (tmp_path / "dataset" / "classes.csv").is_file()


def test_the_attributes_it_names_exist() -> None:
    attributes = re.findall(r"`job\.(\w+)`", README)
    assert len(attributes) > 5
    assert all(hasattr(cdk_ground_truth.SemanticSegmentationLabelingJob, name) for name in attributes)


def test_its_links_and_pictures_exist() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
