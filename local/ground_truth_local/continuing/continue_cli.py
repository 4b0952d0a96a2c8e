"""`ground-truth-local continue`: its options, and what it says."""

from __future__ import annotations

import argparse
from pathlib import Path
from threading import Event

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from ground_truth_labels import LabelsError

from ..server import EmbeddedAws, EmbeddedAwsError
from . import remains
from .local_job import LocalJob
from .remains import ContinueError

_STATE = ".continue"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("continue", help="label here what a job left, without an AWS account")
    parser.add_argument("source", metavar="FOLDER_OR_S3", help="a job's output, a manifest, or photographs")
    parser.add_argument("output", type=Path, help="folder for manifest, masks and pictures")
    parser.add_argument(
        "--labels", default="", help="road,building or a category file (default: the output's)"
    )
    parser.add_argument("--attribute", default="", help="label attribute, where lines have several")
    parser.add_argument("--root", help="folder with copies of the buckets")
    parser.add_argument("--members", default="worker@example.com", help="comma-separated e-mail addresses")
    parser.add_argument("--workers", type=int, default=1, help="people for each picture (default: 1)")
    parser.add_argument("--template", type=Path, help="a worker template (default: a plain one)")
    parser.add_argument("--portal-port", type=int, default=0, help="the worker portal's port")


def run(console: Console, arguments: argparse.Namespace, stopping: Event) -> int:
    """Run until all is labeled, or Ctrl-C; return the exit code."""
    try:
        return _run(console, arguments, stopping)
    except (ContinueError, EmbeddedAwsError, LabelsError, BotoCoreError, ClientError, OSError) as error:
        Console(stderr=True, highlight=False).print(f"[bold red]Error:[/] {error}", soft_wrap=True)
        return 1


def _run(console: Console, arguments: argparse.Namespace, stopping: Event) -> int:
    labels = arguments.labels
    names = labels if Path(labels).is_file() or labels.startswith("s3://") else _split(labels)
    found = remains.read(arguments.source, names, attribute=arguments.attribute, root=arguments.root)
    total, missing = len(found.entries), len(found.missing)
    console.print(f"{total - missing} of {total} pictures are labeled, {missing} are to be labeled.")
    if not missing:
        return 0
    template = arguments.template.read_text(encoding="utf-8-sig") if arguments.template else None
    state = arguments.output / _STATE
    with EmbeddedAws(state, portal_port=arguments.portal_port) as aws:
        job = LocalJob(
            aws, found, workers=arguments.workers, members=tuple(_split(arguments.members)), template=template
        )
        job.start()
        console.print("[bold]People label here[/]; Ctrl-C stops, the same command goes on:")
        print(f"  {aws.portal_url}", flush=True)
        described = job.wait(stopping.is_set)
        if described["LabelingJobStatus"] != "Completed":
            console.print(f"Stopped; what is painted is kept in {state}.")
            return 0
        manifest, labeled = job.collect(arguments.output)
    console.print(f"{labeled} of {total} pictures are labeled. The output manifest:")
    print(f"  {manifest}", flush=True)
    return 0


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
