"""Numbers of somebody else's JSON."""

from __future__ import annotations

import math
from typing import Any

from .errors import ManifestError


def number(value: Any, where: str, what: str) -> float | None:
    """A number as a float, None for anything else.

    Raises:
        ManifestError: It is not finite, as 1e999 or an integer of 400 digits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise ManifestError(f"{where}: {what} must be a finite number, got one that is too large")
    return result
