"""Every wait of the handler: each pause has jitter, each loop an end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from . import log
from .errors import DeployError, NotYetError, is_passing, said
from .transport import AWS_ERRORS

T = TypeVar("T")

#: The custom resource's ServiceTimeout is 50 minutes; the handler's own words have to arrive before it.
OVERALL = timedelta(minutes=40)
#: How long a service may throttle, break down or be out of reach before a deploy gives up on it.
OUTAGE = timedelta(minutes=5)
# What an invocation needs to stop a job and to answer.
_MARGIN_MS = 60_000
_POLL_FIRST, _POLL_MOST = 0.25, 10.0


class Patience:
    """How long one event may still be worked on.

    Args:
        remaining_ms: milliseconds that this invocation may still run.
        issued: when CloudFormation issued the event, if that is known; an event that is delivered again
            doesn't start its time again.
    """

    def __init__(
        self,
        *,
        remaining_ms: Callable[[], int],
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
        issued: datetime | None = None,
    ) -> None:
        self._remaining_ms = remaining_ms
        self._sleep = sleep
        self.now = now
        self._deadline = (issued or now()) + OVERALL

    def check(self, why: str) -> None:
        """Go on only while there is time.

        Raises:
            NotYetError: this invocation has no time left; the next one may.
            DeployError: nor may a next one.
        """
        if self.now() > self._deadline:
            raise DeployError(f"gave up after {OVERALL}: {why}")
        if self._remaining_ms() < _MARGIN_MS:
            raise NotYetError(why)

    def pause(self, seconds: float, why: str) -> None:
        """Sleep; errors as of `check`."""
        self.check(why)
        self._sleep(seconds)

    def insist(self, step: Callable[[], T], *, outage: timedelta = OUTAGE) -> T:
        """Do a step again as long as its error is one that passes: throttling, a breakdown, no connection.

        Raises:
            DeployError: the outage lasts.
        """
        until = self.now() + outage
        for seconds in pauses():
            try:
                return step()
            except AWS_ERRORS as error:
                if not is_passing(error):
                    raise
                if self.now() > until:
                    raise DeployError(f"{said(error)}; tried again for {outage}") from error
                log.action("Retry", error=said(error))
                self.pause(seconds, said(error))
        raise AssertionError("pauses never end")


def pauses() -> Iterator[float]:
    """Growing pauses with jitter, so that the jobs of a stack don't ask in step."""
    pause = _POLL_FIRST
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(pause * 1.5, _POLL_MOST)
