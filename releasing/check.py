"""`make release-check`: builds the packages into `dist/`, and checks all of a release that needs no network.

Each check says its name and what it found; the exit code is 1 when one found something.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import api, environment, inventory, version
from .packages import PACKAGES, ROOT

DIST = ROOT / "dist"
#: The environment of the tools that only a release needs.
TOOLS = ROOT / ".venv-release" / "bin"


def main() -> int:
    """Run all checks, in an order in which a later one may use what an earlier one made."""
    failed = 0
    for check in (
        lockstep,
        inventories,
        changes,
        builds_twice_the_same,
        metadata,
        licences,
        starts_from_an_empty_environment,
        keeps_its_promises,
        workflows,
        hashes,
    ):
        name = check.__name__.replace("_", " ")
        try:
            problems = list(check())
        except (OSError, subprocess.SubprocessError) as error:
            problems = [str(error)]
        print(f"{'FAIL' if problems else 'ok  '} {name}: {(check.__doc__ or '').splitlines()[0]}", flush=True)
        for problem in problems:
            print(f"     {problem}")
        failed += bool(problems)
    return 1 if failed else 0


def lockstep() -> Iterator[str]:
    """One version, and exact pins between the packages."""
    yield from version.differences()


def inventories() -> Iterator[str]:
    """`sbom.cdx.json` and `NOTICE` say what the lock installs, and the former is valid CycloneDX."""
    for path, text in inventory.files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(ROOT)} is out of date: run python -m releasing.inventory"
    for package in PACKAGES:
        yield from _run([TOOLS / "python", "-m", "releasing.valid_sbom", package.folder / "sbom.cdx.json"])


def changes() -> Iterator[str]:
    """The changelog's fragments can be read, and the version has changes to tell."""
    number = PACKAGES[0].project["version"]
    yield from _run([TOOLS / "towncrier", "build", "--draft", "--version", number])
    fragments = [path for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    if not fragments and f"## {number}" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        yield f"neither changes/ nor CHANGELOG.md says what is new in {number}"


def builds_twice_the_same() -> Iterator[str]:
    """Two builds, from two folders, have the same hashes; wheels are built from their sdists."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "again"
        copy = Path(folder) / "copy"
        # A clean checkout elsewhere: neither the path nor what lies about here may change a byte.
        subprocess.run(["git", "clone", "--quiet", ROOT, copy], check=True)
        for source, target in ((ROOT, DIST), (copy, again)):
            for package in PACKAGES:
                place = source / package.folder.relative_to(ROOT)
                yield from _run(
                    [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, place],
                    SOURCE_DATE_EPOCH=_epoch(),
                )
        first, second = _hashes(DIST), _hashes(again)
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            yield f"{name}: {first.get(name)} here, {second.get(name)} from a clone of the last commit"
        else:
            print(f"     sha256 {first[name]}  {name}")


def metadata() -> Iterator[str]:
    """The index can show them, and wheels hold packages alone."""
    built = sorted(DIST.iterdir())
    yield from _run([TOOLS / "twine", "check", "--strict", *built])
    wheels = [path for path in built if path.suffix == ".whl"]
    # W002: the portal serves the licence to those whose browser has its scripts, so it stands twice.
    yield from _run([TOOLS / "check-wheel-contents", "--ignore", "W002", *wheels])


def licences() -> Iterator[str]:
    """LICENSE and NOTICE are in each wheel and sdist; the packages' copies are the repository's."""
    for path in sorted(DIST.iterdir()):
        for name in ("LICENSE", "NOTICE"):
            if not any(each.endswith(f"/{name}") for each in _names(path)):
                yield f"{path.name} has no {name}"
        if path.suffix == ".whl" and not any("/sboms/" in each for each in _names(path)):
            yield f"{path.name} has no SBOM"
    own = (ROOT / "LICENSE").read_bytes()
    for package in PACKAGES:
        if (package.folder / "LICENSE").read_bytes() != own:
            yield f"{package.folder.relative_to(ROOT)}/LICENSE differs from LICENSE"


def starts_from_an_empty_environment() -> Iterator[str]:
    """Each is imported, and its command answers, from wheels and what they ask for alone."""
    wheels = sorted(DIST.glob("*.whl"))
    for package in PACKAGES:
        own = [path for path in wheels if path.name.startswith(package.module)]
        if package.module == "ground_truth_local":
            own += [path for path in wheels if path.name.startswith("ground_truth_labels")]
        with tempfile.TemporaryDirectory() as folder:
            python = environment.with_wheels(Path(folder) / "venv", own)
            [command] = python.parents[1].rglob(f"bin/{package.command}")
            yield from _run([python, "-I", "-c", f"import {package.module}"], cwd=folder)
            yield from _run([python, command, "--help"], cwd=folder, PYTHONPATH="")


def keeps_its_promises() -> Iterator[str]:
    """No public name, argument or default went since the last tag; a major version may."""
    yield from api.breaks()


def workflows() -> Iterator[str]:
    """The workflow files have no finding of zizmor's."""
    yield from _run([TOOLS / "zizmor", "--offline", "--quiet", ROOT / ".github" / "workflows"])


def hashes() -> Iterator[str]:
    """Each locked requirement has a hash."""
    locks = [
        *ROOT.glob("requirements.txt"),
        *ROOT.glob("*/requirements.txt"),
        *ROOT.glob("*/*/requirements.txt"),
    ]
    for lock in locks:
        if ".venv" in lock.parts or "node_modules" in lock.parts or "examples" in lock.parts:
            continue
        for entry in lock.read_text(encoding="utf-8").replace("\\\n", "").splitlines():
            if "==" in entry and "--hash=" not in entry:
                yield f"{lock.relative_to(ROOT)}: {entry.strip()} has no hash"


def _run(command: Sequence[str | Path], cwd: str | Path = ROOT, **variables: str) -> Iterator[str]:
    """What a command says, if it fails."""
    environ = {**os.environ, **variables}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environ, capture_output=True, text=True
    )
    if done.returncode:
        yield f"{Path(command[0]).name} {command[1]}: exit {done.returncode}\n{done.stdout}{done.stderr}"


def _epoch() -> str:
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _names(path: Path) -> list[str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return wheel.namelist()
    with tarfile.open(path) as archive:
        return archive.getnames()


if __name__ == "__main__":
    sys.exit(main())
