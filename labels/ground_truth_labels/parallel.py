"""A parallel map over any number of inputs that keeps order and holds only a few results."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def worker_count(workers: int | None) -> int:
    """`workers`, or the number of cores this process may use."""
    if workers is not None:
        return max(1, workers)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[T], R], inputs: Iterable[T], *, workers: int | None = None
) -> Iterator[R]:
    """`map(function, inputs)` on threads, results in the order of the inputs.

    Threads, because decoding, encoding and S3 leave Python's lock; at most three inputs a worker are under
    way, so memory does not grow with their number. An exception is raised at its place in the order.
    """
    count = worker_count(workers)
    pending: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(count, thread_name_prefix="ground-truth-labels")
    try:
        for value in inputs:
            pending.append(pool.submit(function, value))
            if len(pending) >= 3 * count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
