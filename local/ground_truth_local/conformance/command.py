"""The command: plays the rows, and prints row, expected, got, and what deviates."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ..service.teams import team_arn
from ..sources import Kind
from . import asking
from .expect import agrees, look
from .play import PlayError
from .rows import Row, load
from .stage import Stage

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NOBODY = "cdk-ground-truth-conformance-no-such"
_WIDTH = 60
_STOPS = 3
_STOP_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A place where a row's expectation and what was seen part."""

    row: Row
    path: str
    expected: Any
    got: Any


def compare(row: Row, seen: dict[str, Any], *, only: Sequence[str] = ("",)) -> list[Difference]:
    """Return where what was seen differs from the row, at the paths that begin with one of `only`."""
    return [
        Difference(row=row, path=path, expected=expected, got=look(seen, path))
        for path, expected in row.expect.items()
        if path.startswith(tuple(only)) and not agrees(look(seen, path), expected)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 if anything deviates, 2 if it couldn't be asked."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    rows = [row for row in load() if options.rows in row.name]
    if options.endpoint == "twin":
        return _on_the_twin(console, rows, quiet=options.quiet)
    try:
        return _on_an_account(console, [row for row in rows if row.is_free], options)
    except (ClientError, BotoCoreError) as error:
        console.print(f"The account can't be asked: {error}")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ground_truth_local.conformance",
        description="Holds what is known of AWS against the embedded AWS, or against a real account.",
    )
    parser.add_argument("--rows", default="", metavar="PART", help="only rows whose name has this part")
    parser.add_argument("--quiet", action="store_true", help="print deviations and counts alone")
    parser.add_argument(
        "--endpoint",
        default="twin",
        metavar="twin|aws",
        help="aws: ask the real account of your credentials, reads and refused requests only",
    )
    parser.add_argument("--region", default="us-east-1", help="of the real account (default: us-east-1)")
    parser.add_argument("--role", metavar="ARN", help="a role for the refused requests (default: none there)")
    parser.add_argument("--workteam", metavar="ARN", help="a work team for them (default: none there)")
    return parser


def _on_the_twin(console: Console, rows: Sequence[Row], *, quiet: bool) -> int:
    differences: list[Difference] = []
    with Stage() as stage:
        for row in rows:
            try:
                seen = stage.play(row)
            except PlayError as error:
                seen = {"error": {"code": "PlayError", "message": str(error)}}
            found = compare(row, seen)
            differences += found
            if not quiet or found:
                _print_row(console, row, seen, found)
    _print_counts(console, rows, differences)
    return 1 if differences else 0


def _print_row(console: Console, row: Row, seen: dict[str, Any], found: Sequence[Difference]) -> None:
    mark = "[red]differs[/]" if found else "[green]as expected[/]"
    console.print(f"{mark} [bold]{row.name}[/]  ({row.source})", markup=True)
    for path, expected in row.expect.items():
        console.print(
            f"    {path}: expected {_short(expected)}, got {_short(look(seen, path))}", markup=False
        )
    if found and "error" in seen:
        console.print(f"    {seen['error']}", markup=False)


def _print_counts(console: Console, rows: Sequence[Row], differences: Sequence[Difference]) -> None:
    kinds = Counter(row.kind for row in rows)
    listed = ", ".join(f"{kinds[kind]} {kind}" for kind in Kind if kinds[kind])
    console.print(f"{len(rows)} rows ({listed}), {len(differences)} deviations.")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def _on_an_account(console: Console, rows: Sequence[Row], options: argparse.Namespace) -> int:
    endpoint = None if options.endpoint == "aws" else options.endpoint
    if endpoint and urlsplit(endpoint).hostname not in _LOOPBACK:
        console.print("--endpoint is twin, aws or an address on this machine.")
        return 2
    session = boto3.Session()
    identity = session.client("sts", region_name=options.region, endpoint_url=endpoint)
    account = str(identity.get_caller_identity()["Account"])
    console.print(
        f"{len(rows)} reads and refused requests are sent in {options.region}. If one isn't refused, its "
        "job is stopped at once; a job's name is never free again."
    )
    if _number(console) != account:
        console.print("Your credentials are of another account. Nothing was sent.")
        return 2
    place = asking.Place(
        account=account,
        region=options.region,
        role=options.role or f"arn:aws:iam::{account}:role/{_NOBODY}",
        workteam=options.workteam or team_arn(account, options.region, _NOBODY),
    )
    client = asking.client(options.region, endpoint=endpoint, session=session)
    differing = 0
    with Stage() as stage:
        for row in rows:
            body = asking.request(row, place)
            seen = asking.ask(client, row.call, body)
            if row.call == "CreateLabelingJob" and "answer" in seen:
                _stop(console, client, body["LabelingJobName"])
            differing += _print_both(console, row, seen, stage.play(row))
    console.print(f"{len(rows)} rows, {differing} differ between the account and the embedded AWS.")
    return 1 if differing else 0


def _number(console: Console) -> str:
    """Ask for the account's number; where nobody can answer, it is none."""
    try:
        return console.input("Number of the account that is to be asked: ").strip()
    except EOFError:
        return ""


def _stop(console: Console, client: Any, name: str) -> None:
    """Stop a job that should have been refused; one that can't be stopped would cost, so it is told."""
    answer: dict[str, Any] = {}
    for _ in range(_STOPS):
        answer = asking.ask(client, "StopLabelingJob", {"LabelingJobName": name})
        if "error" not in answer:
            return
        time.sleep(_STOP_AGAIN_SECONDS)
    console.print(
        f"[red]The job {name} was made and can't be stopped:[/] {answer['error']['code']}. Stop it yourself: "
        f"aws sagemaker stop-labeling-job --labeling-job-name {name}"
    )


def _print_both(console: Console, row: Row, seen: dict[str, Any], twin: dict[str, Any]) -> bool:
    """Print what the account and the embedded AWS say; messages are for people, codes are compared."""
    found = compare(row, seen, only=("error.code", "answer."))
    mark = "[red]differs[/]" if found else "[green]the same[/]"
    console.print(f"{mark} [bold]{row.name}[/]  ({row.source})", markup=True)
    for who, what in (("account", seen), ("embedded", twin)):
        console.print(f"    {who}: {_told(what)}", markup=False)
    return bool(found)


def _told(seen: dict[str, Any]) -> str:
    if "error" in seen:
        return f"{seen['error']['code']}: {seen['error']['message']}"
    return "accepted"
