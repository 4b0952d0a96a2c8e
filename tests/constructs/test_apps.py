"""Apps as a stranger writes them, each run as a program of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"


def run(*words, cwd: Path, context: dict[str, str] | None = None, outdir: Path | None = None):
    env = {"PATH": _path(), "CDK_CONTEXT_JSON": json.dumps(context or {})}
    env |= {"CDK_OUTDIR": str(outdir)} if outdir else {}
    return subprocess.run([sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True)


def _path() -> str:
    import os

    return os.environ["PATH"]


def test_constructs_is_the_installed_package_from_the_projects_root():
    done = run("-c", "from constructs import Construct; print(Construct.__module__)", cwd=ROOT)
    assert done.stdout.strip() == "constructs", done.stderr
    assert not (ROOT / "constructs" / "__init__.py").exists()


@pytest.fixture(params=["README", "examples/minimal/app.py"])
def sample(request) -> str:
    if request.param != "README":
        return (ROOT / request.param).read_text()
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    if not blocks:
        pytest.skip("README has no sample yet")
    return blocks[0]


def test_the_first_sample_synthesizes_as_it_stands(sample, photos, tmp_path):
    (tmp_path / "app.py").write_text(sample)
    done = run("app.py", cwd=tmp_path, outdir=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "Streets.template.json").read_text())
    assert len(template["Resources"]) == 10


def test_the_demo_app(photos, tmp_path):
    context = {"photos": str(photos), "workteam": TEAM, "labels": "road, car", "workers": "1"}
    done = run("app.py", cwd=ROOT, context=context, outdir=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "GroundTruthDemo.template.json").read_text())
    assert {"JobName", "OutputManifest", "OutputS3Uri", "InputBucket", "OutputBucket"} <= set(
        template["Outputs"]
    )


@pytest.mark.parametrize(
    ("context", "message"),
    [({"photos": "no/such/folder"}, "No directory 'no/such/folder'"), ({"photos": "."}, "No work team")],
)
def test_the_demo_app_says_what_it_needs(context, message, tmp_path):
    done = run("app.py", cwd=ROOT, context=context, outdir=tmp_path / "out")
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
    assert "cdk deploy -c photos=" in done.stderr


def test_the_wheel_alone_synthesizes_the_sample_from_another_folder(photos, tmp_path):
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)]
    done = run(*build, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    subprocess.run(install, check=True, timeout=280)
    (tmp_path / "app.py").write_text((ROOT / "examples" / "minimal" / "app.py").read_text())
    where = "import cdk_ground_truth, app; print(cdk_ground_truth.__file__)"
    done = subprocess.run([python, "-c", where], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(venv) in done.stdout
