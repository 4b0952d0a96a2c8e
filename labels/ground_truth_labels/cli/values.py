"""Values of options that are more than text."""

from __future__ import annotations

import argparse

_SPLITS = ("train", "validation", "test")


def labels_value(text: str) -> str | list[str]:
    """A category file's location, or the names of a comma-separated list."""
    if text.startswith("s3://") or text.endswith(".json"):
        return text
    return [name.strip() for name in text.split(",") if name.strip()]


def split_value(text: str) -> dict[str, float]:
    """`80/10/10` or `train=0.8,test=0.2`."""
    try:
        if "=" in text:
            pairs = [part.partition("=") for part in text.split(",")]
            return {name.strip(): float(share) for name, _, share in pairs}
        shares = [float(share) for share in text.split("/")]
    except ValueError:
        shares = []
    if not 2 <= len(shares) <= 3:
        raise argparse.ArgumentTypeError(f"must be like 80/10/10 or train=0.8,test=0.2, got {text!r}")
    return {name: share for name, share in zip(_SPLITS, shares, strict=False) if share}
