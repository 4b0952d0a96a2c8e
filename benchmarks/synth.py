"""Synth of N jobs ÷ the same template written by hand; and how many resources a job costs."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .side_by_side import ROOT, command, compare

APPS = ROOT / "benchmarks" / "apps"
MANY = 100


def main() -> None:
    """Print the figures of synth."""
    with tempfile.TemporaryDirectory() as scratch:
        photos = Path(scratch, "photos")
        photos.mkdir()
        for index in range(20):
            (photos / f"{index}.jpg").write_bytes(b"\xff\xd8" + bytes(10_000))
        one, many = (_types(photos, Path(scratch, f"count-{jobs}"), jobs) for jobs in (1, MANY))
        each = (many.total() - one.total()) / (MANY - 1)
        print(f"resources, one job: {one.total()}  [goal ≤ 16]; each further job: {each:.2f}  [goal ≤ 3]")
        for jobs in (1, MANY):
            ratio = compare(
                command(_words("ours.py", jobs, photos, Path(scratch, "ours"))),
                command(_words("by_hand.py", jobs, photos, Path(scratch, "by-hand"))),
            )
            print(f"synth of {jobs} job(s) ÷ by hand with L2s: {ratio}  [goal ≤ 1.10]")


def _types(photos: Path, outdir: Path, jobs: int) -> Counter[str]:
    command(_words("ours.py", jobs, photos, outdir))()
    template = json.loads((outdir / "Streets.template.json").read_text())
    return Counter(resource["Type"] for resource in template["Resources"].values())


def _words(app: str, jobs: int, photos: Path, outdir: Path) -> list[str]:
    return [sys.executable, str(APPS / app), str(jobs), str(photos), str(outdir)]


if __name__ == "__main__":
    main()
