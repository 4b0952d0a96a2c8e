"""Times of somebody else's JSON."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str | None) -> datetime | None:
    """A time in ISO 8601, as JavaScript writes it too, in UTC without saying so; None for anything else."""
    try:
        found = datetime.fromisoformat(text) if text else None
        if found is None or found.tzinfo is None:
            return found
        return found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        # The first and the last day there are have no time in another zone.
        return None
