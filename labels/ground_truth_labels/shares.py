"""Shares of a split, in each way that people write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from .errors import ExportError

SPLITS = ("train", "validation", "test")

Shares: TypeAlias = Mapping[str, float] | Sequence[float] | float | str
"""`{"train": 0.8, "test": 0.2}`, `"80/20"`, `"train=0.8,test=0.2"`, `(0.8, 0.2)`, or 0.8 to train with."""


def parse_shares(value: Shares) -> dict[str, float]:
    """Split → share, as it was written.

    Raises:
        ExportError: It is none of these forms.
    """
    if isinstance(value, Mapping):
        return dict(value)
    try:
        if isinstance(value, str) and "=" in value:
            pairs = [part.partition("=") for part in value.split(",")]
            return {name.strip(): float(share) for name, _, share in pairs}
        shares = _numbers(value)
    except (TypeError, ValueError):
        shares = []
    if not 2 <= len(shares) <= len(SPLITS):
        raise ExportError(f"split must be like 80/10/10, 0.8 or train=0.8,test=0.2, got {value!r}")
    return {name: share for name, share in zip(SPLITS, shares, strict=False) if share}


def _numbers(value: Sequence[float] | float | str) -> list[float]:
    shares = value.split("/") if isinstance(value, str) else value
    numbers = [float(share) for share in (shares if isinstance(shares, Sequence) else [shares])]
    # One number is what is trained with; the rest is to validate with.
    return [*numbers, round(1 - numbers[0], 9)] if len(numbers) == 1 and 0 < numbers[0] < 1 else numbers
