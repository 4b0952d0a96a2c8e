"""`python -m tests.faults [part of a scenario's name] [--provider]`: run the fault matrix and print it.

With `--provider`, the CDK's Provider framework stands between CloudFormation and the handler.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.faults.matrix import cells, run
from tests.faults.scenarios import SCENARIOS


@dataclass
class Row:
    """One scenario's cells."""

    scenario: str
    cells: int = 0
    given_up: int = 0
    bad: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


def run_row(index: int, provider_framework: bool = False) -> Row:
    """Run all cells of a scenario."""
    row = Row(SCENARIOS[index].name)
    for cell in cells(SCENARIOS[index]):
        result = run(cell, provider_framework=provider_framework)
        row.cells += 1
        row.given_up += result.given_up
        row.kinds[str(cell.kind)] += 1
        problems = [*result.problems, *([] if result.struck else ["the fault never struck"])]
        if problems:
            row.bad.append("\n    ".join([str(cell), *problems]))
    return row


def main() -> int:
    """Print one line a scenario, the kinds of faults, and every cell that broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("part", nargs="?", default="", help="part of a scenario's name")
    parser.add_argument("--provider", action="store_true", help="with the CDK's Provider framework between")
    options = parser.parse_args()
    chosen = [index for index, scenario in enumerate(SCENARIOS) if options.part in scenario.name]
    rows = []
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for row in pool.map(run_row, chosen, [options.provider] * len(chosen)):
            rows.append(row)
            print(f"{row.cells:6,} cells {len(row.bad):4} bad   {row.scenario}", flush=True)
    print()
    for kind, count in sum((row.kinds for row in rows), Counter()).most_common():
        print(f"{count:6,} of {kind}")
    for problem in (problem for row in rows for problem in row.bad):
        print(f"\nBAD  {problem}")
    total, bad, given_up = (
        sum(counts) for counts in zip(*((row.cells, len(row.bad), row.given_up) for row in rows), strict=True)
    )
    print(f"\n{total:,} cells, {bad} bad; in {given_up} CloudFormation gave a clean-up up, and said so")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
