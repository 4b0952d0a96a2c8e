"""The three packages, which are released in lockstep: one version, exact pins between them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Package:
    """One distribution of this repository."""

    name: str
    folder: Path
    #: What a user imports.
    module: str
    #: What a user calls, and an argument with which it says something.
    command: str

    @property
    def pyproject(self) -> Path:
        """The file that describes it."""
        return self.folder / "pyproject.toml"

    @property
    def project(self) -> dict[str, Any]:
        """The table `[project]` of that file."""
        table: dict[str, Any] = tomllib.loads(self.pyproject.read_text(encoding="utf-8"))["project"]
        return table


PACKAGES = (
    Package("cdk-ground-truth", ROOT, "cdk_ground_truth", "cdk-ground-truth"),
    Package("ground-truth-labels", ROOT / "labels", "ground_truth_labels", "ground-truth-labels"),
    Package("ground-truth-local", ROOT / "local", "ground_truth_local", "ground-truth-local"),
)
NAMES = {package.name for package in PACKAGES}
