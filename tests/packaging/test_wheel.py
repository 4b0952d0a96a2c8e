"""The built wheel, with the packages that it asks for and nothing else of this checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from releasing.environment import with_wheels

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """An environment with the wheel; its dependencies are linked, not fetched: tests reach no registry."""
    return with_wheels(wheel.parent / "venv", [wheel])


def test_it_alone_synthesizes_the_first_sample_from_another_folder(python: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "app.py").write_text((ROOT / "examples" / "minimal" / "app.py").read_text())
    where = "import cdk_ground_truth, runpy; print(cdk_ground_truth.__file__); runpy.run_path('app.py')"
    environment = {"PATH": os.environ["PATH"], "CDK_OUTDIR": str(tmp_path / "out")}
    done = subprocess.run(
        [python, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(python.parents[1]))
    template = json.loads((tmp_path / "out" / "Streets.template.json").read_text())
    assert len(template["Resources"]) == 10


def test_its_command_reads_a_manifest_and_needs_boto3_for_aws_alone(python: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.manifest").write_text('{"source-ref": "s3://photos/a.jpg"}\n{}\n')
    [command] = python.parents[1].rglob("bin/cdk-ground-truth")
    check = [str(python), str(command), "check", "photos.manifest", "--labels", "road"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ""}
    options: dict[str, Any] = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    offline = subprocess.run([*check, "--offline"], **options)
    assert (offline.returncode, "ERROR manifest-source" in offline.stdout) == (1, True), offline.stderr
    asked = subprocess.run([*check, "--region", "eu-west-1"], **options)
    assert (asked.returncode, "pip install 'cdk-ground-truth[check]'" in asked.stderr) == (2, True)


def test_it_brings_the_handler_and_the_worker_template_and_types(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    handler = [path.relative_to(ROOT / "lambda") for path in (ROOT / "lambda").rglob("*.py")]
    assert {f"cdk_ground_truth/_lambda/{path}" for path in handler} <= set(names)
    assets = [path.relative_to(ROOT / "assets") for path in (ROOT / "assets").rglob("*") if path.is_file()]
    assert {f"cdk_ground_truth/_assets/{path}" for path in assets} <= set(names)
    assert "cdk_ground_truth/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("constructs/")]
