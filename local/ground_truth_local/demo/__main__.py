"""``python -m ground_truth_local.demo [output]``: deploy ``app.py``, label photographs, show the masks."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ..cdk_cli import CdkError
from ..server import EmbeddedAws, EmbeddedAwsError
from . import gallery, photos
from .stack import DemoStack

TEAM = "annotators"
MEMBERS = ("ada@example.com", "grace@example.com", "katherine@example.com")
LABELS = ("subject",)
_LABELING_BOUND_SECONDS = 120.0


class DemoError(Exception):
    """The demo can't go on; the message is for the person who ran it."""


class Demo:
    """The steps of the demo, each timed for the table at the end."""

    def __init__(self, output: Path, console: Console) -> None:
        self._output = output
        self._console = console
        self._steps: list[tuple[str, float, str]] = []

    def run(self) -> None:
        """Run all steps.

        Raises:
            DemoError: a step didn't do what it should.
        """
        with tempfile.TemporaryDirectory(prefix="ground-truth-demo-") as scratch:
            with self._step("start the embedded AWS") as say:
                aws = EmbeddedAws(simulated_workers=True).start()
                say(aws.endpoint_url)
            try:
                self._main_job(aws, Path(scratch))
            finally:
                aws.stop()
        self._console.print(self._table())
        self._console.print(f"[bold green]Done.[/] Look at {self._output / gallery.FILE}")

    def _main_job(self, aws: EmbeddedAws, scratch: Path) -> None:
        with self._step("prepare photographs and a work team") as say:
            folder = photos.write(scratch / "photos")
            team = aws.create_workteam(TEAM, MEMBERS)
            say(f"{len(list(folder.iterdir()))} photographs, each for three workers")
        stack = DemoStack(aws, photos=folder, workteam_arn=team, labels=LABELS)
        with self._step("cdk deploy") as say:
            deployed = stack.deploy()
            say(f"job {deployed.job_name}")
        try:
            with self._step("three workers label every photograph") as say:
                counters = self._watch(aws, deployed.job_name)
                say(f"{counters['HumanLabeled']} labeled, {counters['FailedNonRetryableError']} failed")
            with self._step("fetch manifest and masks, draw overlays") as say:
                found = gallery.write(aws.session(), deployed.output_manifest_uri, self._output)
                say(f"{found} masks in {self._output}/")
        finally:
            with self._step("cdk destroy") as say:
                stack.destroy()
                say(self._what_is_left(aws, deployed.job_name, deployed.output_manifest_uri))

    def _watch(self, aws: EmbeddedAws, job: str) -> dict[str, int]:
        sagemaker = aws.session().client("sagemaker")
        columns = (
            SpinnerColumn(),
            TextColumn("  labeling"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        deadline = time.monotonic() + _LABELING_BOUND_SECONDS
        with Progress(*columns, console=self._console, transient=True) as progress:
            bar = progress.add_task("labeling")
            while time.monotonic() < deadline:
                described = sagemaker.describe_labeling_job(LabelingJobName=job)
                counters: dict[str, int] = described["LabelCounters"]
                progress.update(
                    bar,
                    completed=counters["TotalLabeled"],
                    total=counters["TotalLabeled"] + counters["Unlabeled"],
                )
                status = described["LabelingJobStatus"]
                if status == "Completed":
                    return counters
                if status not in ("Initializing", "InProgress"):
                    raise DemoError(
                        f"the job is {status}: {described.get('FailureReason', 'no reason given')}"
                    )
                time.sleep(0.2)
        raise DemoError(f"the job isn't Completed after {_LABELING_BOUND_SECONDS:.0f} s: {described}")

    def _what_is_left(self, aws: EmbeddedAws, job: str, manifest_uri: str) -> str:
        """Say how the job ended; the labels have to have outlived the stack."""
        described = aws.session().client("sagemaker").describe_labeling_job(LabelingJobName=job)
        status = described["LabelingJobStatus"]
        if status not in ("Completed", "Stopped", "Failed"):
            raise DemoError(f"the stack is gone, but its job is still {status}")
        kept = gallery.count_labels(aws.session(), manifest_uri)
        if not kept and status == "Completed":
            raise DemoError("the labels went with the stack")
        return f"job {status}, {kept} label files still in the bucket"

    @contextmanager
    def _step(self, name: str) -> Iterator[Any]:
        said: list[str] = []
        start = time.monotonic()
        with self._console.status(name):
            yield said.append
        seconds = time.monotonic() - start
        self._steps.append((name, seconds, "; ".join(said)))
        self._console.print(f"[green]✓[/] {name} [dim]{seconds:.1f} s[/] {'; '.join(said)}", highlight=False)

    def _table(self) -> Table:
        table = Table(title="From cdk deploy to training masks", title_justify="left")
        table.add_column("step")
        table.add_column("seconds", justify="right")
        table.add_column("result", overflow="fold")
        for name, seconds, said in self._steps:
            table.add_row(name, f"{seconds:.1f}", said)
        table.add_section()
        table.add_row("all", f"{sum(seconds for _, seconds, _ in self._steps):.1f}", "")
        return table


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ground_truth_local.demo", description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=Path("demo-output"), help="folder to write")
    console = Console()
    try:
        Demo(parser.parse_args().output, console).run()
    except (DemoError, EmbeddedAwsError, CdkError, FileNotFoundError) as error:
        console.print(f"[bold red]The demo failed:[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
