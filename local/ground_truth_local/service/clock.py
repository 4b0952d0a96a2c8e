"""The service's clock, which may be moved forward: what takes AWS thirty days is seen in a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..sources import Rule, holds, twin
from .errors import validation
from .store import Store

MOVED_CLOCK = Rule(
    "moved-clock",
    "The clock of tasks, objects and jobs can be moved forward, by at most ten years at a time.",
    twin("time limits of days couldn't be tried otherwise; AWS has no such thing"),
)

_FACT = "clock-offset"
_MOST_SECONDS = 10 * 366 * 24 * 3_600


class Clock:
    """Seconds since 1970, plus what it was moved by; a restart with the same state goes on from there."""

    def __init__(self, store: Store, base: Callable[[], float]) -> None:
        self._store = store
        self._base = base
        self._lock = threading.Lock()
        row = store.row("SELECT value FROM facts WHERE name = ?", _FACT)
        self._offset = float(row["value"]) if row else 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._base() + self._offset

    @holds(MOVED_CLOCK)
    def advance(self, seconds: float) -> float:
        """Move forward, and return the time that it is now.

        Raises:
            ServiceError: not a number of seconds that a clock can be moved by.
        """
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not is_number or not 0 <= seconds <= _MOST_SECONDS:
            raise validation(MOVED_CLOCK, f"Seconds must be a number from 0 to {_MOST_SECONDS}.")
        with self._lock:
            self._offset += seconds
            self._store.execute(
                "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", _FACT, repr(self._offset)
            )
        return self()

    def describe(self) -> dict[str, Any]:
        """Return time and offset as the admin door answers them."""
        return {"Now": self(), "OffsetSeconds": self._offset}
