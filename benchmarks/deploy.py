"""`cdk deploy` of one labeling job to the embedded AWS ÷ of a stack with nothing but a custom resource."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ground_truth_local.cdk_cli import CdkCli
from ground_truth_local.demo import photos
from ground_truth_local.server import EmbeddedAws

from .side_by_side import ROOT, compare

APPS = ROOT / "benchmarks" / "apps"


def main() -> None:
    """Print the ratio; each run deploys a stack of a new name."""
    with tempfile.TemporaryDirectory() as scratch, EmbeddedAws() as aws:
        folder = photos.write(Path(scratch, "photos"))
        aws.create_workteam("annotators")
        ratio = compare(
            _deploy(aws, lambda name: f"{APPS / 'ours.py'} 1 {folder} '' {name}"),
            _deploy(aws, lambda name: f"{APPS / 'bare.py'} Bare{name}"),
        )
    print(f"cdk deploy of one job ÷ a bare custom resource: {ratio}  [goal ≤ 1.5]")


def _deploy(aws: EmbeddedAws, app: Callable[[str], str]) -> Callable[[], object]:
    numbers = itertools.count()

    def run() -> object:
        return CdkCli(f"{sys.executable} {app(f'Bench{next(numbers)}')}", aws.environment, cwd=ROOT).deploy()

    return run


if __name__ == "__main__":
    main()
