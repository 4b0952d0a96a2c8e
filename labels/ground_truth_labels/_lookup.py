"""Palette indices to class ids: a table of 256 entries, eight pixels at a time, where the indices lie."""

from __future__ import annotations

import threading
from typing import cast

import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]
_Words = npt.NDArray[np.uint64]

#: Pixels in a word.
_WORD = 8
_ONES = np.uint64(0x0101010101010101)
#: Words that are looked up at a time: what is made of them stays in the processor's second cache.
_BLOCK = 1 << 15
_local = threading.local()


def look_up(pixels: _Bytes, table: bytes, sentinel: int) -> bool:
    """Put the entry of each index in its place; whether none of them is the sentinel.

    Args:
        pixels: One-dimensional, writable.
        table: 256 entries.
        sentinel: What must not be among the entries that are used.
    """
    # Most palettes hold nothing unknown up to the highest index in use: then nobody has to look for it.
    used = table[: int(pixels.max(initial=0)) + 1]
    if used != bytes(range(len(used))):
        whole = pixels.size // _WORD * _WORD
        _look_up_words(pixels[:whole].view(np.uint64), table)
        rest = pixels[whole:].tobytes().translate(table)
        pixels[whole:] = np.frombuffer(rest, np.uint8)
    return sentinel not in used or not (pixels == sentinel).any()


def _look_up_words(words: _Words, table: bytes) -> None:
    wide = np.frombuffer(table, np.uint8) * _ONES
    first, alike, differ = _room()
    for start in range(0, words.size, _BLOCK):
        block = words[start : start + _BLOCK]
        size = block.size
        np.bitwise_and(block, np.uint64(255), out=first[:size])
        # Masks are long runs of one colour: most words hold one index eight times.
        np.multiply(first[:size], _ONES, out=alike[:size])
        mixed = np.flatnonzero(np.not_equal(block, alike[:size], out=differ[:size]))
        single = block.take(mixed).tobytes().translate(table)
        # As signed numbers they are positions without a copy; none is beyond the table.
        wide.take(first[:size].view(np.int64), mode="clip", out=block)
        block[mixed] = np.frombuffer(single, np.uint64)


def _room() -> tuple[_Words, _Words, npt.NDArray[np.bool_]]:
    """Memory of this thread's for what is made of a block."""
    if not hasattr(_local, "room"):
        _local.room = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.bool_)
    return cast(tuple[_Words, _Words, npt.NDArray[np.bool_]], _local.room)
