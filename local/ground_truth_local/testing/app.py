"""From what a test names as its app to a cloud assembly."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..cdk_cli import node_options, node_path

#: A stack's class, a function that adds stacks to an app, an app's file or command, or a cloud assembly.
AppLike = type[Any] | Callable[[Any], object] | str | os.PathLike[str]


class AppError(ValueError):
    """What was named can't be synthesized; the message says why."""


def synthesized(app: AppLike, folder: Path, context: Mapping[str, str] | None = None) -> Path:
    """Return the folder with the app's cloud assembly.

    Args:
        app: a class of stack (made as ``Class(app, Class.__name__)``), a function that is given an ``App``,
            an app's file or command line (``app.py``, ``"python app.py"``), or the folder of an assembly.
        folder: where to write it.
        context: for ``node.try_get_context``.

    Raises:
        AppError: it can't be synthesized.
    """
    if callable(app):
        return _of_code(app, folder, dict(context or {}))
    named = Path(app)
    if (named / "manifest.json").is_file():
        return named
    command = [sys.executable, str(named)] if named.is_file() else shlex.split(os.fspath(app))
    return _of_command(command, folder, dict(context or {}))


def _of_code(app: Callable[..., Any], folder: Path, context: dict[str, str]) -> Path:
    try:
        from aws_cdk import App, Stack
    except ImportError as error:
        raise AppError(
            "aws-cdk-lib isn't installed, so a stack's class can't be synthesized here; name the app's file"
        ) from error
    root = App(outdir=str(folder), context=context or None)
    is_stack = isinstance(app, type) and issubclass(app, Stack)
    app(root, getattr(app, "__name__", "Stack")) if is_stack else app(root)
    return Path(root.synth().directory)


def _of_command(command: list[str], folder: Path, context: dict[str, str]) -> Path:
    import json

    environment = {
        **os.environ,
        "PATH": node_path(),
        "NODE_OPTIONS": node_options(),
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    except OSError as error:
        raise AppError(f"the app {shlex.join(command)} can't be run: {error.strerror}") from error
    if done.returncode or not (folder / "manifest.json").is_file():
        raise AppError(f"the app {shlex.join(command)} made no cloud assembly:\n{done.stdout}{done.stderr}")
    return folder
