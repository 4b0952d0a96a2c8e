"""`python -m tests.pythons`: the handler's and the labels' unit tests on each Python of the classifiers.

Each gets an environment with what these tests alone need, at the versions of the lock. A Python that this
machine doesn't have is named and left out, as is the one that `make test` runs on.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUITES = ("tests/labeling_job", "tests/labels")
PACKAGES = (
    *("boto3", "hypothesis", "numpy", "pillow", "pycocotools", "pytest", "pytest-timeout", "pytest-xdist"),
    # Photographs come with it.
    "scikit-image",
)
# What needs more: a browser, the build tools, readers that are as large as all the rest. `make test` runs it.
LEFT_OUT = " and ".join(
    f"not {part}"
    for part in ("browser", "chromium", "turns_it", "hf", "hugging", "datasets", "fill_exactly", "yolo")
)
IGNORED = (
    *("tests/labels/test_package.py", "tests/labels/test_formats_table.py"),
    *("tests/labels/test_regions.py", "tests/labels/test_orientation_table.py"),
    # Minutes of random input, of large input, and of processes that are killed.
    *("tests/labeling_job/preflight/test_fuzz.py", "tests/labeling_job/test_many_images.py"),
    *("tests/labeling_job/test_hostile_manifests.py", "tests/labels/test_interruption.py"),
)


def versions() -> list[str]:
    """The Pythons of the classifiers, such as "3.11"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return re.findall(r":: (3\.\d+)", "\n".join(project["classifiers"]))


def interpreter(version: str) -> str | None:
    """A Python of that version: this one, one of `PATH`, or one of pyenv's."""
    found = [sys.executable, shutil.which(f"python{version}"), *_of_pyenv(version)]
    return next((each for each in found if each and _version_of(each) == version), None)


def _of_pyenv(version: str) -> list[str]:
    root = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    return sorted(glob.glob(f"{root}/versions/{version}.*/bin/python"))


def _version_of(python: str) -> str:
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    # A shim of a version manager may be there without the Python behind it.
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def environment(version: str, python: str) -> str:
    """The Python of an environment for the tests, made once for each lock."""
    folder = ROOT / f".venv-{version}"
    own, lock = folder / "bin" / "python", pinned()
    ready = folder / "ready.txt"
    if not ready.exists() or ready.read_text() != lock:
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        (folder / "lock.txt").write_text(lock)
        quiet = ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(folder / "lock.txt")]
        subprocess.run([str(own), "-m", "pip", "install", *quiet], check=True)
        ready.write_text(lock)
    return str(own)


def pinned() -> str:
    """What of the lock the tests need, with its hashes."""
    lock = (ROOT / "requirements.txt").read_text().strip()
    # A package may have two pins, by the Python's version.
    pins = [(_name(pin), pin) for pin in re.split(r"\n(?! )", lock)]
    known, needed, todo = {name for name, _ in pins}, set[str](), list(PACKAGES)
    while todo:
        name = _name(todo.pop())
        if name in known - needed:
            needed.add(name)
            # What another system needs isn't here, and its marker keeps it out.
            with contextlib.suppress(PackageNotFoundError):
                todo += [each for each in requires(name) or () if "extra ==" not in each]
    return "".join(f"{pin}\n" for name, pin in pins if name in needed)


def _name(requirement: str) -> str:
    return re.sub(r"[^\w.-].*", "", requirement, flags=re.DOTALL).lower().replace("_", "-")


def run(python: str) -> bool:
    """Whether both suites pass; each alone, as each has fixtures of its own."""
    rooms = os.pathsep.join(str(ROOT / room) for room in ("lambda", "labels"))
    values = {**os.environ, "PYTHONPATH": rooms}
    options = [
        "-q",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "-k",
        LEFT_OUT,
        *(f"--ignore={each}" for each in IGNORED),
    ]
    for suite in SUITES:
        # The conftest above both is for tests that deploy.
        command = [python, "-m", "pytest", *options, f"--confcutdir={suite}", suite]
        if subprocess.run(command, cwd=ROOT, env=values).returncode:
            return False
    return True


def main() -> int:
    """Run them, and say on which Pythons."""
    own = ".".join(map(str, sys.version_info[:2]))
    told, failed = [f"Python {own}: by `make test`"], False
    for version in versions():
        if version == own:
            continue
        python = interpreter(version)
        passed = python is not None and run(environment(version, python))
        failed = failed or (python is not None and not passed)
        told.append(
            f"Python {version}: {'passed' if passed else 'FAILED' if python else 'not on this machine'}"
        )
    print("\n".join(told))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
