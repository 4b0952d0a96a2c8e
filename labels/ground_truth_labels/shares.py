"""Shares of a split as text."""

from __future__ import annotations

from .errors import ExportError

SPLITS = ("train", "validation", "test")


def parse_split(text: str) -> dict[str, float]:
    """`80/10/10` (train, validation, test) or `train=0.8,test=0.2`.

    Raises:
        ExportError: It is neither.
    """
    try:
        if "=" in text:
            pairs = [part.partition("=") for part in text.split(",")]
            return {name.strip(): float(share) for name, _, share in pairs}
        shares = [float(share) for share in text.split("/")]
    except ValueError:
        shares = []
    if not 2 <= len(shares) <= 3:
        raise ExportError(f"split must be like 80/10/10 or train=0.8,test=0.2, got {text!r}")
    return {name: share for name, share in zip(SPLITS, shares, strict=False) if share}
