"""`ground-truth-local console`: the author's console on a real account, read-only."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import socket
from collections.abc import Callable, Iterator

import boto3
from botocore.exceptions import BotoCoreError
from rich.console import Console as Terminal

from ..portal import static_files
from ..portal.http import HttpError, Receive, Response, Scope, Send
from ..serving import in_thread
from ..settings import HOST
from .account import Account, AccountError
from .app import Console


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("console", help="look at an account's labeling jobs and their results")
    parser.add_argument("--profile", help="profile of the AWS configuration (default: as boto3 finds it)")
    parser.add_argument("--region", help="Region (default: the profile's)")
    parser.add_argument("--port", type=int, default=0, help="port (default: a free one)")


def run(terminal: Terminal, arguments: argparse.Namespace, wait: Callable[[], object]) -> int:
    """Serve until `wait` returns; return the exit code."""
    try:
        session = boto3.Session(profile_name=arguments.profile, region_name=arguments.region)
        account = Account(session, read_only=True)
        # This runs before the address is printed: a wrong profile is said here, not in a browser.
        account.jobs()
        with serving(account, port=arguments.port) as address:
            terminal.print("[bold]The console of your account[/] (read-only), Ctrl-C ends it:")
            print(f"  {address}", flush=True)
            wait()
    except (AccountError, BotoCoreError) as error:
        Terminal(stderr=True, highlight=False).print(f"[bold red]Error:[/] {error}", soft_wrap=True)
        return 1
    return 0


@contextlib.contextmanager
def serving(account: Account, *, port: int = 0) -> Iterator[str]:
    """Serve a console for the length of a `with`; gives its address, with the key that opens it."""
    listener = socket.create_server((HOST, port))
    taken = listener.getsockname()[1]
    key = secrets.token_urlsafe(24)
    hosts = frozenset({f"{HOST}:{taken}", f"localhost:{taken}"})
    console = Console(account, hosts=hosts, port=taken, key=key)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(static_files.PREFIX):
            await _static(scope["path"]).send(send)
        elif scope["type"] == "http":
            await console(scope, receive, send)

    try:
        with in_thread(app, listener, "console"):
            yield f"http://{HOST}:{taken}/console/sign-in?key={key}"
    finally:
        console.close()


def _static(path: str) -> Response:
    try:
        return static_files.serve(path)
    except HttpError as error:
        return Response(status=error.status, body=error.message.encode())
