"""Limits that keep hostile or broken input from exhausting memory.

The pixel and file limits are Ground Truth's own quotas for segmentation (SageMaker Developer Guide, "Input
Data Quotas": 40 MB and 100 million pixels an image); the others leave a wide margin.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of one thing is read before it is refused.

    Attributes:
        line_bytes: Bytes of a manifest line. Default 4 MiB; an input line may have 100,000 characters,
            and the colour map comes on top.
        file_bytes: Bytes of a mask, an image, a category file or a worker response. Default 256 MiB.
        pixels: Pixels of a mask or image, read from its header before decoding. Default 100 million.
    """

    line_bytes: int = 4 * 2**20
    file_bytes: int = 256 * 2**20
    pixels: int = 100_000_000


DEFAULT_LIMITS = Limits()
