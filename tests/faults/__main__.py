"""`python -m tests.faults [part of a scenario's name] [--provider]`: run the fault matrix and print it.

With `--provider`, the CDK's Provider framework stands between CloudFormation and the handler.
`--lives 1000` runs so many random lives of a stack instead, and `--seed` says which.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.faults.lives import live
from tests.faults.matrix import cells, run
from tests.faults.scenarios import SCENARIOS
from tests.faults.texts import is_for_users

_NAMES = re.compile(r"[0-9a-f]{8,}(?:-[0-9a-f]+)*")


@dataclass
class Row:
    """One scenario's cells."""

    scenario: str
    cells: int = 0
    given_up: int = 0
    bad: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    #: What users were told, without the names that differ from cell to cell.
    texts: set[str] = field(default_factory=set)


def run_row(index: int, provider_framework: bool = False, share: int = 1) -> Row:
    """Run all cells of a scenario, or each sixth (``share=6``), another sixth from scenario to scenario."""
    row = Row(SCENARIOS[index].name)
    for cell in itertools.islice(cells(SCENARIOS[index]), index % share, None, share):
        result = run(cell, provider_framework=provider_framework)
        row.cells += 1
        row.given_up += result.given_up
        row.kinds[str(cell.kind)] += 1
        row.texts |= {_NAMES.sub("…", text) for text in result.texts}
        problems = [*result.problems, *([] if result.struck else ["the fault never struck"])]
        if problems:
            row.bad.append("\n    ".join([str(cell), *problems]))
    return row


def run_lives(lives: int, seed: int) -> int:
    """Random lives in two processes; prints what they met."""
    workers = min(2, os.cpu_count() or 1)
    each = -(-lives // workers)
    with ProcessPoolExecutor(workers) as pool:
        results = list(pool.map(live, [each] * workers, [seed * workers + index for index in range(workers)]))
    for kind, count in sum((struck for _, _, struck in results), Counter()).most_common():
        print(f"{count:6,} of {kind}")
    print(f"{sum(r[0] for r in results):,} lives, {sum(r[1] for r in results):,} steps: all invariants hold")
    return 0


def main() -> int:
    """Print one line a scenario, the kinds of faults, and every cell that broke an invariant."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("part", nargs="?", default="", help="part of a scenario's name")
    parser.add_argument("--provider", action="store_true", help="with the CDK's Provider framework between")
    parser.add_argument("--lives", type=int, default=0, help="run so many random lives instead")
    parser.add_argument("--seed", type=int, default=1, help="of the lives (default: 1)")
    options = parser.parse_args()
    if options.lives:
        return run_lives(options.lives, options.seed)
    chosen = [index for index, scenario in enumerate(SCENARIOS) if options.part in scenario.name]
    rows = []
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for row in pool.map(run_row, chosen, [options.provider] * len(chosen)):
            rows.append(row)
            print(f"{row.cells:6,} cells {len(row.bad):4} bad   {row.scenario}", flush=True)
    print()
    for kind, count in sum((row.kinds for row in rows), Counter()).most_common():
        print(f"{count:6,} of {kind}")
    told = set().union(*(row.texts for row in rows))
    unfit = [text for text in told if not is_for_users(text)]
    print(f"\n{len(told):,} different texts told, {len(unfit)} with a class or an error of Python's")
    for problem in (problem for row in rows for problem in row.bad):
        print(f"\nBAD  {problem}")
    total, bad, given_up = (
        sum(counts) for counts in zip(*((row.cells, len(row.bad), row.given_up) for row in rows), strict=True)
    )
    print(f"\n{total:,} cells, {bad} bad; in {given_up} CloudFormation gave a clean-up up, and said so")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
