"""The run lengths of Label Studio's brush, which are those of the npm package `@thi.ng/rle-pack`.

A stream of bits: the number of values (32 bits), bits a value less one (5), four sizes less one (4 bits
each). Then records: a bit that says whether one value is repeated, the size that is used (2 bits), a count
less one in that many bits, and the value, or as many values. The values are an RGBA picture's, white inside.
Source: `label_studio_sdk/converter/brush.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SIZES = (4, 8, 12, 16)
_LONGEST = 1 << _SIZES[-1]


def encode(region: npt.NDArray[np.bool_]) -> bytes:
    """The bytes of a region of shape (height, width)."""
    flat = region.ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    # There are four channels a pixel, all with the same value.
    lengths = 4 * np.diff(np.append(starts, flat.size))
    values = flat[starts]
    # A run that is too long for the largest size is written in several pieces.
    pieces = -(-lengths // _LONGEST)
    owner = np.repeat(np.arange(lengths.size), pieces)
    rest = lengths - (pieces - 1) * _LONGEST
    counts = np.full(owner.size, _LONGEST)
    counts[np.cumsum(pieces) - 1] = rest
    head = f"{4 * flat.size:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in _SIZES)
    header = np.frombuffer(head.encode(), np.uint8) - ord("0")
    return np.packbits(np.concatenate((header, _records(counts - 1, values[owner])))).tobytes()


def _records(counts: npt.NDArray[np.int64], values: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """The bits of all records, one a byte."""
    sizes = np.array(_SIZES)
    chosen = np.searchsorted(1 << sizes, counts, side="right")
    bits = sizes[chosen]
    words = (4 | chosen) << (bits + 8) | counts << 8 | np.where(values, 255, 0)
    places = np.arange(3 + _SIZES[-1] + 8 - 1, -1, -1)
    table = (words[:, None] >> places & 1).astype(np.uint8)
    used: npt.NDArray[np.uint8] = table[places < (3 + bits + 8)[:, None]]
    return used


def decode(data: bytes) -> npt.NDArray[np.uint8]:
    """The values in `data`, which anybody may have written.

    Raises:
        ValueError: It ends too early, or announces more than 2**30 values.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    text = (bits + ord("0")).tobytes()
    count, word = int(text[:32] or b"0", 2), int(text[32:37] or b"0", 2) + 1
    if len(text) < 53 or count > 1 << 30:
        raise ValueError(f"a brush of {len(data):,} bytes announces {count:,} values")
    sizes = [int(text[37 + 4 * i : 41 + 4 * i], 2) + 1 for i in range(4)]
    values, lengths = [], []
    place, done = 53, 0
    while done < count:
        size = sizes[int(text[place + 1 : place + 3] or b"0", 2)]
        repeats = text[place] == ord("1") if place < len(text) else False
        run = int(text[place + 3 : place + 3 + size] or b"0", 2) + 1
        place += 3 + size
        words = 1 if repeats else run
        if place + words * word > len(text):
            raise ValueError(f"a brush of {len(data):,} bytes ends after {done:,} of {count:,} values")
        for _ in range(words):
            values.append(int(text[place : place + word], 2))
            lengths.append(run if repeats else 1)
            place += word
        done += run
    flat = np.repeat(np.array(values, np.int64), lengths)[:count]
    return flat.clip(max=255).astype(np.uint8)
