"""How much is tried: `make deep` runs the tests that take minutes with larger numbers than `make test`."""

from __future__ import annotations

import os
from typing import TypeVar

_Number = TypeVar("_Number", int, float)

DEEP = os.environ.get("DEEP") == "1"


def deep(few: _Number, many: _Number) -> _Number:
    """Return how many to try: ``many`` in `make deep`, else ``few``."""
    return many if DEEP else few
