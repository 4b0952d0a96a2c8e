"""Lines of a manifest, one at a time, with a bound on what is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from .errors import LimitError

_CHUNK = 1 << 18


def read_lines(stream: BinaryIO, name: str, limit: int) -> Iterator[tuple[int, bytes | LimitError]]:
    r"""Yield `(line number from 1, line without its end)`, leaving out blank lines.

    A line longer than `limit` bytes is skipped without being held, and a `LimitError` stands in its place.
    Lines end with `\n` or `\r\n`; a byte order mark before the first is dropped.
    """
    number, rest, skipped = 1, b"", 0
    while chunk := stream.read(_CHUNK):
        if skipped and b"\n" not in chunk:
            skipped += len(chunk)
            continue
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            skipped += len(line) if skipped else 0
            yield from _one(number, line, skipped, name, limit)
            number, skipped = number + 1, 0
        if skipped or len(rest) > limit:
            skipped, rest = skipped + len(rest), b""
    yield from _one(number, rest, skipped, name, limit)


def _one(
    number: int, line: bytes, skipped: int, name: str, limit: int
) -> Iterator[tuple[int, bytes | LimitError]]:
    size = max(skipped, len(line))
    if size > limit:
        yield (
            number,
            LimitError(
                f"{name}, line {number}: has {size:,} bytes, the limit is {limit:,}; "
                "a manifest is JSON Lines, one object on each line"
            ),
        )
        return
    text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    text = text.strip()
    if text:
        yield number, text
