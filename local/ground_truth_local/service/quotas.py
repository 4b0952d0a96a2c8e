"""What an account may have of the service; a test lowers it, so that few images are as good as very many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Quotas of an account and Region.

    Args:
        objects: data objects in one job; the guide's quota for segmentation, which AWS doesn't raise.
        jobs: labeling jobs that live at once; AWS publishes no number.
    """

    objects: int = 20_000
    jobs: int = 100

    def __post_init__(self) -> None:
        if self.objects < 1 or self.jobs < 1:
            raise ValueError(f"quotas must be at least 1, got {self}")
