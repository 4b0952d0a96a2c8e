"""`python -m tests.faults.campaigns`: run the campaign's fault matrix and print it."""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.faults.campaigns.matrix import SCENARIOS, cells, run


@dataclass
class Row:
    """A scenario's cells."""

    scenario: str
    cells: int = 0
    bad: list[str] = field(default_factory=list)


def run_row(index: int, first: int = 0, share: int = 1) -> Row:
    """Run each so many-th cell of a scenario."""
    row = Row(SCENARIOS[index].name)
    for cell in itertools.islice(cells(SCENARIOS[index]), first, None, share):
        result = run(cell)
        row.cells += 1
        problems = [*result.problems, *([] if result.struck else ["the fault never struck"])]
        if problems:
            row.bad.append("\n    ".join([str(cell), *problems]))
    return row


def main() -> int:
    """Run all cells, in two processes."""
    parts = 8
    with ProcessPoolExecutor(2) as pool:
        jobs = [
            (index, pool.submit(run_row, index, first, parts))
            for index in range(len(SCENARIOS))
            for first in range(parts)
        ]
        total, bad = 0, list[Any]()
        for index, group in itertools.groupby(jobs, key=lambda job: job[0]):
            rows = [job.result() for _, job in group]
            count = sum(row.cells for row in rows)
            wrong = [each for row in rows for each in row.bad]
            print(f"{SCENARIOS[index].name}: {count:,} cells, {len(wrong)} bad", flush=True)
            total, bad = total + count, bad + wrong
    print("\n".join(bad))
    print(f"{total:,} cells, {len(bad)} bad: labels lost or bought twice, or runs that wait for ever")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
