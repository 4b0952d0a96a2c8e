"""How fast the service is."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long the service takes its time, in seconds."""

    initializing: float = 1.3
    set_up: float = 0.0
    """How long a job is ``InProgress`` before its set-up's mistakes show; on AWS these are minutes."""
    set_up_while_initializing: bool = False
    """Whether mistakes fail a job before it is ``InProgress``. Nobody saw that of AWS; who waits for one must
    stand both."""
    stopping: float = 0.5
    poll: float = 0.25
    """How often deadlines are looked at; answers and stops wake the engine at once."""
    consolidation_every: float = 1.0
    """Least time between two consolidations of a batch of which objects are still out; its files are named by
    the second."""
    manifest_every: float = 5.0
    """Least time between two writes of a batch's intermediate manifest."""
    telemetry_every: float = 1.0
    """Least time between two batches of events, metrics and logs."""


class Turn:
    """When something that is done again and again is due."""

    def __init__(self) -> None:
        self._at = 0.0

    @property
    def seconds_left(self) -> float:
        """How long until it is due; nothing or less if it is."""
        return self._at - time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is."""
        return self.seconds_left <= 0

    def done(self, seconds: float) -> None:
        """Let it be due again so many seconds from now."""
        self._at = time.monotonic() + seconds
