"""An environment with built wheels and what they ask for, linked from this one: no registry is asked."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from .packages import NAMES


def asked_for(requirements: Iterable[str]) -> dict[str, Distribution]:
    """What requirements need, and what that needs: by name, without extras and other platforms' packages."""
    found: dict[str, Distribution] = {}
    todo = list(requirements)
    while todo:
        text, _, marker = todo.pop().partition(";")
        match = re.match(r"[\w.-]+", text)
        assert match is not None
        name = match[0].lower().replace("_", "-")
        if name in found or name in NAMES or "extra" in marker:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            # Its marker may say that it is for an older Python or another system; without one it is missing.
            if not marker:
                raise
            continue
        todo += found[name].requires or []
    return found


def requirements_of(wheel: Path) -> list[str]:
    """What a wheel's metadata asks for."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    return list(metadata.get_all("Requires-Dist") or ())


def with_wheels(folder: Path, wheels: Sequence[Path], *, also: Sequence[str] = ()) -> Path:
    """Make an environment with these wheels in `folder`; its Python.

    Args:
        folder: where.
        wheels: what is installed; what they depend on is linked from this environment.
        also: further packages that are linked, with what they need.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python3*/site-packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(site), "--no-deps", "--no-index", *map(str, wheels)], check=True)
    needed = [one for wheel in wheels for one in requirements_of(wheel)]
    for each in asked_for([*needed, *also]).values():
        tops = {file.parts[0] for file in each.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            place = site / top
            if not place.exists():
                place.symlink_to(Path(str(each.locate_file(top))))
    return folder / "bin" / "python"
