"""Finds the rooms that ship with the library but are no packages: `lambda/` and `assets/`.

In a checkout they are two levels up, in an installed wheel they are beside this file. The handler's
contract, limits, rules and preflight are loaded from its own folder, so that both sides run one definition.
"""

from __future__ import annotations

import importlib
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


def handler_module(name: str) -> Any:
    """A module of the handler's package, which is loaded under a name of ours.

    An application may have a `labeling_job` package itself.
    """
    private = f"{__package__}._handler"
    if private not in sys.modules:
        folder = LAMBDA_DIR / "labeling_job"
        spec = importlib.util.spec_from_file_location(
            private, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None or not folder.is_dir():
            raise ImportError(f"cdk_ground_truth is incomplete: there is no {folder}")
        package = importlib.util.module_from_spec(spec)
        sys.modules[private] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{private}.{name}")


if TYPE_CHECKING:
    from labeling_job import campaign, contract, cost, limits
    from labeling_job.preflight import access, inspection, plan, run
    from labeling_job.rules import findings, labels, manifest, places, task, template
else:
    _FOLDERS: Final = {
        "preflight": ("access", "inspection", "plan", "run"),
        "rules": ("findings", "labels", "manifest", "places", "task", "template"),
    }

    def __getattr__(name: str) -> Any:
        """Each is loaded when it is first asked for: synth shouldn't wait for what the commands need."""
        if name not in __all__:
            raise AttributeError(name)
        folder = next((folder for folder, names in _FOLDERS.items() if name in names), "")
        return handler_module(f"{folder}.{name}".lstrip("."))


__all__ = [
    "ASSETS_DIR",
    "LAMBDA_DIR",
    "access",
    "campaign",
    "contract",
    "cost",
    "findings",
    "handler_module",
    "inspection",
    "labels",
    "limits",
    "manifest",
    "places",
    "plan",
    "run",
    "task",
    "template",
]
