"""Cuts images into jobs: each in one, none above the size, in their order, and of even sizes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator


def sizes(total: int, most: int) -> list[int]:
    """How many images each job gets: as few jobs as can be, none smaller than another by more than one.

    A last job of few images would wait for workers as long as a large one, and automated labeling
    wants 1,250 in each.
    """
    if not total:
        return []
    jobs = -(-total // most)
    each, larger = divmod(total, jobs)
    return [each + 1] * larger + [each] * (jobs - larger)


def cut(lines: Iterable[bytes], parts: Iterable[int]) -> Iterator[list[bytes]]:
    """The lines of each job; at no time more than one job's are held."""
    source = iter(lines)
    for size in parts:
        yield list(itertools.islice(source, size))
