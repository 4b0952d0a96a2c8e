"""Times two commands in turn, so that a machine whose speed drifts can't favour one of them."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Ours ÷ theirs over all pairs, and the median seconds of both."""

    median: float
    low: float
    high: float
    ours: float
    theirs: float

    def __str__(self) -> str:
        return (
            f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f}; {self.ours:.2f} s ÷ {self.theirs:.2f} s)"
        )


def compare(ours: Callable[[], object], theirs: Callable[[], object], *, runs: int = 5) -> Ratio:
    """Run both in turn, A B A B …, after one uncounted pair, and compare them pair by pair."""
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(runs + 1)][1:]
    ratios = [mine / other for mine, other in pairs]
    return Ratio(
        median=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        ours=statistics.median(mine for mine, _ in pairs),
        theirs=statistics.median(other for _, other in pairs),
    )


def command(
    words: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> Callable[[], None]:
    """A command to compare; it has to succeed, and what it prints is dropped unless it fails."""

    def run() -> None:
        done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout}\n{done.stderr}")

    return run


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
