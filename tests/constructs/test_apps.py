"""Apps as a stranger writes them, each run as a program of its own."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINIMAL = ROOT / "examples" / "minimal" / "app.py"
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"


def run(*words, cwd: Path, context: dict[str, str] | None = None, outdir: Path | None = None):
    env = {"PATH": os.environ["PATH"], "CDK_CONTEXT_JSON": json.dumps(context or {})}
    env |= {"CDK_OUTDIR": str(outdir)} if outdir else {}
    return subprocess.run([sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True)


def test_constructs_is_the_installed_package_from_the_projects_root() -> None:
    done = run("-c", "from constructs import Construct; print(Construct.__module__)", cwd=ROOT)
    assert done.stdout.strip() == "constructs", done.stderr
    assert not (ROOT / "constructs" / "__init__.py").exists()


def _code(source: str) -> str:
    """A program without its docstring and layout."""
    body = ast.parse(source).body
    has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return "\n".join(ast.unparse(node) for node in body[has_docstring:])


def test_the_minimal_example_is_the_readmes_first_sample() -> None:
    [sample, *_] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert _code(sample) == _code(MINIMAL.read_text())


def test_the_first_sample_synthesizes_as_it_stands(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MINIMAL.read_text())
    done = run("app.py", cwd=tmp_path, outdir=tmp_path / "out")
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "Streets.template.json").read_text())
    assert len(template["Resources"]) == 10


def test_the_demo_app(photos: Path, tmp_path: Path) -> None:
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
def test_the_demo_app_says_what_it_needs(context, message: str, tmp_path: Path) -> None:
    done = run("app.py", cwd=ROOT, context=context, outdir=tmp_path / "out")
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
    assert "cdk deploy -c photos=" in done.stderr
