"""How much is tried: `make deep` runs the tests that take minutes with larger numbers than `make test`."""

from __future__ import annotations

import os

DEEP = os.environ.get("DEEP") == "1"


def deep(few: int, many: int) -> int:
    """Return how many to try: ``many`` in `make deep`, else ``few``."""
    return many if DEEP else few
