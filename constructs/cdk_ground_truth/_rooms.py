"""Finds the rooms that ship with the library but are no packages: `lambda/` and `assets/`.

In a checkout they are two levels up, in an installed wheel they are beside this file. The handler's
contract and limits are loaded from its own folder, so that both sides read one definition.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

_PACKAGE: Final = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    installed = _PACKAGE / f"_{name}"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name


LAMBDA_DIR: Final = _find("lambda")
ASSETS_DIR: Final = _find("assets")


def _load(name: str) -> Any:
    # A name of our own: an application may have a `labeling_job` package itself.
    private = f"{__package__}._handler_{name.replace('.', '_')}"
    path = LAMBDA_DIR / "labeling_job" / f"{name.replace('.', '/')}.py"
    spec = importlib.util.spec_from_file_location(private, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cdk_ground_truth is incomplete: there is no {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from labeling_job import contract, cost, limits
    from labeling_job.preflight import findings
else:
    contract = _load("contract")
    limits = _load("limits")
    cost = _load("cost")
    findings = _load("preflight.findings")

__all__ = ["ASSETS_DIR", "LAMBDA_DIR", "contract", "cost", "findings", "limits"]
