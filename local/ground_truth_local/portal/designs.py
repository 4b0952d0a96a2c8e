"""Labeling jobs as a synthesized app describes them: template, labels, a picture. No deploy, no account."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cdk_cli import node_options, tool_path

_HASH = re.compile(r"([0-9a-f]{64})\.(?:\w+)")
_PICTURES = (".jpg", ".jpeg", ".png")
_SYNTH_SECONDS = 300


class DesignError(Exception):
    """There is nothing to preview; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """One labeling job of an app."""

    name: str
    """The CloudFormation logical id."""
    title: str
    template: str
    labels: list[str]
    workteam: str
    picture: Path | None
    """A picture of the job, if the app carries its pictures."""


def synthesize(command: str, folder: Path, *, context: Mapping[str, str] | None = None, cwd: Path) -> None:
    """Run an app so that it writes its cloud assembly into a folder, as the CDK CLI does.

    Raises:
        DesignError: the app failed; with what it printed.
    """
    settings = json.loads((cwd / "cdk.json").read_text()) if (cwd / "cdk.json").exists() else {}
    values = {**settings.get("context", {}), **(context or {})}
    environment = {
        **os.environ,
        "PATH": tool_path(),
        "NODE_OPTIONS": node_options(),
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(values),
    }
    words = shlex.split(command or settings.get("app", ""))
    if not words:
        raise DesignError('Say which app to preview, or run in a folder with a cdk.json that has "app".')
    if words[0].endswith(".py"):
        words.insert(0, sys.executable)
    try:
        done = subprocess.run(
            words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=_SYNTH_SECONDS
        )
    except OSError as error:
        raise DesignError(f"The app {shlex.join(words)} can't be run: {error}") from error
    if done.returncode:
        raise DesignError(f"The app {shlex.join(words)} failed:\n{done.stdout}{done.stderr}")


def load(assembly: Path, wanted: str = "") -> Design:
    """Return the labeling job of an assembly; ``wanted`` is a part of its logical id where there are more.

    Raises:
        DesignError: there is no such job, or more than one.
    """
    found = [design for design in _designs(assembly) if wanted.lower() in design.name.lower()]
    if not found:
        raise DesignError(f"{assembly} has no labeling job{f' with {wanted!r} in its id' if wanted else ''}.")
    if len(found) > 1:
        names = ", ".join(design.name for design in found)
        raise DesignError(f"There are {len(found)} labeling jobs, {names}: choose one with --job.")
    return found[0]


def _designs(assembly: Path) -> Iterator[Design]:
    for path in sorted(assembly.rglob("*.template.json")):
        for name, resource in json.loads(path.read_text()).get("Resources", {}).items():
            properties = resource.get("Properties", {})
            request = next(_with_key(properties, "HumanTaskConfig"), None)
            if request is not None and _asset_of(path.parent, request["HumanTaskConfig"].get("UiConfig")):
                yield _design(path.parent, name, request, properties)


def _design(folder: Path, name: str, request: dict[str, Any], properties: dict[str, Any]) -> Design:
    task = request["HumanTaskConfig"]
    template = _asset_of(folder, task["UiConfig"])
    categories = _asset_of(folder, request.get("LabelCategoryConfigS3Uri"))
    assert template is not None, "checked by the caller"
    labels = json.loads(categories.read_text())["labels"] if categories else []
    archive = next(_with_key(properties, "ArchiveS3Uri"), {})
    return Design(
        name=name,
        title=task["TaskTitle"] if isinstance(task.get("TaskTitle"), str) else name,
        template=template.read_text(encoding="utf-8-sig"),
        labels=[entry["label"] for entry in labels],
        workteam=task["WorkteamArn"] if isinstance(task.get("WorkteamArn"), str) else "",
        picture=_first_picture(_asset_of(folder, archive.get("ArchiveS3Uri"))),
    )


def _with_key(value: Any, key: str) -> Iterator[dict[str, Any]]:
    """Find the structures that have a key, however deep a library nests them."""
    if isinstance(value, dict):
        if key in value:
            yield value
        for part in value.values():
            yield from _with_key(part, key)


def _asset_of(folder: Path, uri: Any) -> Path | None:
    """Return the asset that an S3 URI (most often a CloudFormation expression) points to."""
    found = _HASH.search(json.dumps(uri))
    return next(iter(sorted(folder.glob(f"asset.{found[1]}*"))), None) if found else None


def _first_picture(folder: Path | None) -> Path | None:
    if folder is None or not folder.is_dir():
        return None
    return next((path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _PICTURES), None)
