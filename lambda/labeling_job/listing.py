"""Which objects of a bucket a job labels: listed at deploy, in memory that doesn't grow with the bucket."""

from __future__ import annotations

import fnmatch
import hashlib
import heapq
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

from .contract import Images
from .limits import IMAGE_SUFFIXES, OBJECTS_MAX
from .storage import Storage

_LISTERS = 8
# More prefixes than that have few keys each, and one request for each would take longer than all in turn.
_PREFIXES_MAX = 64
_DEPTH = 3


def chosen(storage: Storage, bucket: str, prefix: str, images: Images) -> tuple[list[str], int]:
    """The keys to label in S3's order, and how many there would be without a sample.

    Of more than a job takes, only the count is right.
    """
    wanted = wanted_keys(prefix, images)
    sample, seed = images.listing.get("Sample", 0), images.listing.get("Seed", 0)
    most = sample or OBJECTS_MAX + 1
    # The sample's are those whose hash with the seed is smallest: the same whatever the order of listing.
    heap: list[tuple[int, str]] = []
    count = 0
    for key in _keys(storage, bucket, prefix):
        if not wanted(key):
            continue
        count += 1
        if not sample:
            if count <= most:
                heap.append((0, key))
            continue
        rank = -int.from_bytes(hashlib.blake2b(f"{seed}\n{key}".encode(), digest_size=8).digest())
        if len(heap) < most:
            heapq.heappush(heap, (rank, key))
        elif rank > heap[0][0]:
            heapq.heapreplace(heap, (rank, key))
    return sorted((key for _, key in heap), key=str.encode), count


def wanted_keys(prefix: str, images: Images) -> Callable[[str], bool]:
    """Which keys below the prefix are images to label."""
    suffixes = tuple(suffix.lower() for suffix in images.listing.get("Suffixes", IMAGE_SUFFIXES))
    patterns = "|".join(map(fnmatch.translate, images.listing.get("Exclude", ())))
    # `(?!)` matches nothing, so that nothing is excluded.
    excluded = re.compile(patterns or "(?!)").match
    length = len(prefix)
    return lambda key: key.lower().endswith(suffixes) and not excluded(key[length:])


def _keys(storage: Storage, bucket: str, prefix: str) -> Iterator[str]:
    """All keys of objects that hold something, in parallel where few prefixes share many keys."""
    direct, prefixes = _split(storage, bucket, prefix)
    yield from direct
    if len(prefixes) == 1:
        yield from (key for key, size in storage.objects(bucket, prefixes[0]) if size)
    elif prefixes:
        yield from _in_parallel(storage, bucket, prefixes)


def _split(storage: Storage, bucket: str, prefix: str) -> tuple[list[str], list[str]]:
    """Some keys, and the prefixes below which all others are; where a split won't help, one prefix."""
    first = storage.listed(bucket, prefix)
    if not first.get("IsTruncated"):
        return _full(first), []
    below = prefix
    for _ in range(_DEPTH):
        level = storage.listed(bucket, below, Delimiter="/")
        prefixes = [each["Prefix"] for each in level.get("CommonPrefixes", [])]
        if level.get("IsTruncated") or not prefixes or len(prefixes) > _PREFIXES_MAX:
            break
        if len(prefixes) > 1:
            return _full(level), prefixes
        if level.get("Contents"):
            break
        below = prefixes[0]
    return [], [prefix]


def _in_parallel(storage: Storage, bucket: str, prefixes: list[str]) -> Iterator[str]:
    # It is read a page at a time, and few of them ahead: keys wait in S3, not in memory.
    pages: Queue[list[str] | BaseException | None] = Queue(2 * _LISTERS)

    def fill(prefix: str) -> None:
        try:
            for page in storage.pages(bucket, prefix):
                pages.put(_full(page))
            pages.put(None)
        except BaseException as error:  # whatever ends this thread, the one that waits for it has to know
            pages.put(error)

    with ThreadPoolExecutor(_LISTERS) as pool:
        for prefix in prefixes:
            pool.submit(fill, prefix)
        left, failed = len(prefixes), None
        # All are awaited also when one has failed: a full queue would hold its thread for good.
        while left:
            page = pages.get()
            if isinstance(page, list):
                yield from page if failed is None else ()
                continue
            left -= 1
            failed = failed or page
    if failed is not None:
        raise failed


def _full(page: Any) -> list[str]:
    """Keys of what isn't a folder's empty placeholder."""
    return [item["Key"] for item in page.get("Contents", []) if item["Size"]]
