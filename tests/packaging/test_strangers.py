"""A stranger's tests of a stack of their own: wheels alone, a folder of their own, no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from releasing.environment import with_wheels
from releasing.packages import PACKAGES
from tests.deep import DEEP

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300), pytest.mark.xdist_group("strangers")]

STACK = """
from aws_cdk import Stack
from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"

class Streets(Stack):
    def __init__(self, scope, construct_id):
        super().__init__(scope, construct_id)
        SemanticSegmentationLabelingJob(self, "Job", images=Images.from_directory("photos"), labels=["road"],
            workteam=Workteam.from_workteam_arn(self, "Team", TEAM))
"""
TWELVE_LINES = """
import pytest
from streets import Streets

@pytest.mark.parametrize("number", range(NUMBER))
def test_streets(ground_truth, number):
    ground_truth.workteam("annotators")
    run = ground_truth.run(Streets)
    assert run.status == "Completed", run.failure_reason
    assert run.failures == {}
    assert run.labels["one.png"].shape == (40, 60)
    assert run.labels["one.png"].max() <= 1
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the three wheels; what they need is linked, not fetched."""
    folder = tmp_path_factory.mktemp("wheels")
    for package in PACKAGES:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
        done = subprocess.run([*build, str(package.folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return with_wheels(folder / "venv", sorted(folder.glob("*.whl")), also=["pytest", "pytest-xdist"])


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="one"),
        pytest.param(
            ["-n", "2"], id="five side by side", marks=pytest.mark.skipif(not DEEP, reason="make deep")
        ),
    ],
)
def test_a_stranger_tests_a_stack(python: Path, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "photos").mkdir()
    Image.linear_gradient("L").resize((60, 40)).save(tmp_path / "photos" / "one.png")
    (tmp_path / "streets.py").write_text(STACK)
    (tmp_path / "test_streets.py").write_text(TWELVE_LINES.replace("NUMBER", "5" if options else "1"))
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    command = [str(python), "-m", "pytest", "-q", "--strict-markers", "-W", "error", *options]
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{5 if options else 1} passed" in done.stdout
