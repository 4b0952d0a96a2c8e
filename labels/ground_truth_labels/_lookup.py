"""Palette indices to class ids: a table of 256 entries, eight pixels at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]
_Words = npt.NDArray[np.uint64]

#: Pixels in a word.
_WORD = 8
_ONES = np.uint64(0x0101010101010101)
#: Words that are looked up at a time: what is made of them takes no new memory.
_BLOCK = 1 << 16


def look_up(indices: _Bytes, table: bytes, sentinel: int) -> tuple[_Bytes, bool]:
    """The entry of each index, and whether none of them is the sentinel.

    Args:
        indices: One-dimensional.
        table: 256 entries.
        sentinel: What must not be among the entries that are used.

    Returns:
        An array of its own, writable.
    """
    entries = np.frombuffer(table, np.uint8)
    other = np.flatnonzero(entries != np.arange(256))
    if (entries[other] == sentinel).all() and indices.max(initial=0) < other.min(initial=256):
        # The indices are the ids already.
        return indices.copy(), sentinel not in table[: other.min(initial=256)] or sentinel not in indices
    ids = np.empty(indices.size, np.uint8)
    whole = indices.size // _WORD * _WORD
    words, found = indices[:whole].view(np.uint64), ids[:whole].view(np.uint64)
    complete = True
    for start in range(0, words.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        complete &= _look_up_words(words[block], found[block], table, sentinel)
    rest = indices[whole:].tobytes().translate(table)
    ids[whole:] = np.frombuffer(rest, np.uint8)
    return ids, complete and sentinel not in rest


def _look_up_words(words: _Words, found: _Words, table: bytes, sentinel: int) -> bool:
    """Fill `found`; whether the sentinel is not in it."""
    first = words & np.uint64(255)
    wide = np.frombuffer(table, np.uint8) * _ONES
    # As signed numbers they are positions without a copy; none is beyond the table.
    wide.take(first.view(np.int64), mode="clip", out=found)
    complete = not (found == np.uint64(sentinel) * _ONES).any()
    # Masks are long runs of one colour: most words hold one index eight times.
    first *= _ONES
    mixed = np.flatnonzero(words != first)
    single = words.take(mixed).tobytes().translate(table)
    found[mixed] = np.frombuffer(single, np.uint64)
    return complete and sentinel not in single
