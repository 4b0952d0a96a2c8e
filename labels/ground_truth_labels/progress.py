"""A progress line on standard error, with no dependency."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO, TypeVar

T = TypeVar("T")
Progress = Callable[[int, int | None], None]
"""Called with the number done and the total (None if unknown)."""

_WIDTH = 28


class ProgressBar:
    """Draws `label ━━━━──── 12/40  3.1/s  0:09`: a moving line on a terminal, a line each 10 s elsewhere."""

    def __init__(self, label: str, *, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._begin = self._drawn = time.monotonic()
        self._last = ""

    def __call__(self, done: int, total: int | None) -> None:
        """Show `done` of `total`."""
        now = time.monotonic()
        finished = total is not None and done >= total
        if not finished and now - self._drawn < (0.1 if self._live else 10):
            return
        self._drawn = now
        self._last = self._text(done, total, max(now - self._begin, 1e-6))
        if self._live:
            self._stream.write(f"\r\x1b[2K{self._last}")
        elif now - self._begin >= 10:
            self._stream.write(f"{self._last}\n")
        self._stream.flush()

    def close(self) -> None:
        """End the moving line."""
        if self._live and self._last:
            self._stream.write("\n")
            self._last = ""

    def _text(self, done: int, total: int | None, elapsed: float) -> str:
        rate = done / elapsed
        if not total:
            return f"{self._label} {done:,}  {rate:,.1f}/s"
        filled = min(_WIDTH, _WIDTH * done // total)
        left = round((total - done) / rate) if done else 0
        bar = "━" * filled + "─" * (_WIDTH - filled)
        return f"{self._label} {bar} {done:,}/{total:,}  {rate:,.1f}/s  {left // 60}:{left % 60:02d}"


def tracked(values: Iterable[T], progress: Progress | None, total: int | None) -> Iterator[T]:
    """`values`, telling `progress` after each."""
    for done, value in enumerate(values, 1):
        yield value
        if progress is not None:
            progress(done, total)
