"""Names for workers that don't say who they are, and stay the same from job to job."""

from __future__ import annotations

import hashlib


def pseudonym(worker: str) -> str:
    """`W-` and six hex digits of the id's hash; whoever has the ids can find out whose it is."""
    return f"W-{hashlib.sha256(worker.encode()).hexdigest()[:6]}"
