"""Moves the clock of a running embedded AWS, through its administrator's door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .door import ADVANCE, Door, DoorError


class ClockError(RuntimeError):
    """The clock couldn't be moved; the message says why."""


class ClockHand:
    """The clock of tasks, objects and jobs; S3, IAM and the rest keep the true time.

    Args:
        endpoint_url: the embedded AWS.
        credentials: access key and secret of its administrator.
        region: any Region.
    """

    def __init__(self, endpoint_url: str, credentials: tuple[str, str], region: str) -> None:
        self._door = Door(endpoint_url, credentials, region)

    def now(self) -> datetime:
        """Return the time that it is for labeling jobs."""
        return self.advance()

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move the clock forward; return the time that it is now.

        Raises:
            ClockError: the server refused it, or isn't there.
        """
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        try:
            answer = self._door.ask(ADVANCE, {"Seconds": step})
        except DoorError as error:
            raise ClockError(f"The clock was not moved: {error}") from error
        return datetime.fromtimestamp(answer["Now"], UTC)
