"""The command ``ground-truth-local``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from . import account, doctor, profiles, reality
from .cdk_cli import tool_path
from .clock import ClockError, ClockHand
from .console import console_cli
from .continuing import continue_cli
from .portal import preview_cli
from .server import EmbeddedAws, EmbeddedAwsError
from .settings import StateDir

_POLL_SECONDS = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = _parser().parse_args(argv)
    console = Console(highlight=False)
    if arguments.command == "preview":
        return preview_cli.run(console, arguments, wait=lambda: _stop_signal().wait())
    if arguments.command == "doctor":
        return doctor.run(console)
    if arguments.command == "console":
        return console_cli.run(console, arguments, wait=lambda: _stop_signal().wait())
    if arguments.command == "continue":
        return continue_cli.run(console, arguments, _stop_signal())
    try:
        return _advance(console, arguments) if arguments.command == "advance" else _serve(console, arguments)
    except (EmbeddedAwsError, ClockError) as error:
        Console(stderr=True, highlight=False).print(f"[bold red]Error:[/] {error}", soft_wrap=True)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ground-truth-local", description="An embedded AWS with SageMaker Ground Truth."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run it in the foreground until Ctrl-C")
    serve.add_argument("--port", type=int, default=4566, help="port; 0 takes a free one (default: 4566)")
    serve.add_argument("--state-dir", type=Path, help="keep the state here (default: forget it at the end)")
    serve.add_argument("--region", default="us-east-1", help="Region (default: us-east-1)")
    serve.add_argument("--workteam", metavar="NAME", help="make this private work team")
    serve.add_argument(
        "--context", action="append", default=[], metavar="KEY=VALUE", help="for the cdk deploy line"
    )
    serve.add_argument("--simulated-workers", action="store_true", help="simulated workers label all jobs")
    serve.add_argument(
        "--portal-port", type=int, default=0, help="the worker portal's port (default: a free one)"
    )
    serve.add_argument(
        "--real-elements", action="store_true", help="templates load AWS's own elements from the network"
    )
    reality.add_flags(serve)
    serve.add_argument("--json", action="store_true", help="print one line of JSON instead, for scripts")
    advance = commands.add_parser("advance", help="move the clock of labeling jobs forward")
    advance.add_argument("--state-dir", type=Path, required=True, help="the one that serve printed")
    advance.add_argument("--endpoint", help="its address (default: AWS_ENDPOINT_URL)")
    for unit in ("days", "hours", "minutes"):
        advance.add_argument(f"--{unit}", type=float, default=0.0)
    doctor.add_parser(commands)
    preview_cli.add_parser(commands)
    console_cli.add_parser(commands)
    continue_cli.add_parser(commands)
    return parser


def _stop_signal() -> threading.Event:
    """Return an event that Ctrl-C sets, from now on."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _advance(console: Console, arguments: argparse.Namespace) -> int:
    state = StateDir(arguments.state_dir)
    endpoint = arguments.endpoint or os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint:
        raise ClockError("Say where the embedded AWS is, by --endpoint or AWS_ENDPOINT_URL.")
    if not state.credentials.exists():
        raise ClockError(f"{state.root} is no state directory of an embedded AWS.")
    administrator = account.load_credentials(state)[account.ADMINISTRATOR]
    now = ClockHand(endpoint, administrator, "us-east-1").advance(
        days=arguments.days, hours=arguments.hours, minutes=arguments.minutes
    )
    console.print(f"For labeling jobs it is {now:%Y-%m-%d %H:%M:%S} UTC now.")
    return 0


def _serve(console: Console, arguments: argparse.Namespace) -> int:
    stopping = _stop_signal()
    with EmbeddedAws(
        arguments.state_dir,
        port=arguments.port,
        region=arguments.region,
        simulated_workers=arguments.simulated_workers,
        portal_port=arguments.portal_port,
        real_elements=arguments.real_elements,
        **reality.chosen(arguments),
    ) as aws:
        context = list(arguments.context)
        if arguments.workteam:
            context.append(f"workteam={aws.create_workteam(arguments.workteam)}")
        pasted = profiles.lines(aws.profile_environment, tool_path(), context)
        if arguments.json:
            print(json.dumps(_facts(aws, pasted, context)))
        else:
            _explain(console, aws, pasted)
        sys.stdout.flush()
        while not stopping.wait(_POLL_SECONDS):
            if not aws.running:
                raise EmbeddedAwsError(f"The server ended by itself; see {aws.state.log}.")
        if not arguments.json:
            console.print("Stopping.")
    return 0


def _explain(console: Console, aws: EmbeddedAws, pasted: Sequence[str]) -> None:
    # Addresses and lines are printed plain, and nothing after them: they are clicked and pasted as they are.
    console.print(f"[bold green]The embedded AWS is up[/] (account {aws.account}):")
    print(f"  {aws.endpoint_url}")
    console.print("[bold]People label here[/]:")
    print(f"  {aws.portal_url}")
    console.print("[bold]You see jobs, results and logs here[/]:")
    print(f"  {aws.console_url}")
    console.print("[bold]Paste this into another terminal[/]:\n")
    print("\n".join(pasted))
    console.print(f"\nThe profiles in {aws.config_file}:", style="dim")
    for name, purpose in aws.profiles.items():
        default = ", what you are after the lines above" if name == profiles.DEFAULT_PROFILE else ""
        console.print(f"  {name}: {purpose}{default}", style="dim")
    moved = ["ground-truth-local", "advance", "--days", "10", "--state-dir", str(aws.state.root)]
    console.print("Ten days pass for labeling jobs with:", style="dim")
    print(f"  {shlex.join([*moved, '--endpoint', aws.endpoint_url])}")
    console.print("Ctrl-C stops it.", style="dim")


def _facts(aws: EmbeddedAws, pasted: Sequence[str], context: Sequence[str]) -> dict[str, Any]:
    return {
        "endpoint_url": aws.endpoint_url,
        "portal_url": aws.portal_url,
        "console_url": aws.console_url,
        "account": aws.account,
        "region": aws.region,
        "config_file": str(aws.config_file),
        "profiles": aws.profiles,
        "environment": {**aws.profile_environment, "PATH": tool_path()},
        "context": dict(pair.partition("=")[::2] for pair in context),
        "deploy": pasted[-1],
    }


if __name__ == "__main__":
    sys.exit(main())
