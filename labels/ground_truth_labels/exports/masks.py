"""Decoded masks, kept from the pass that chooses the split for the pass that writes: each is decoded once."""

from __future__ import annotations

import tempfile
import threading
import zlib
from typing import Any, cast

import numpy as np

from ..decode import MaskArray

# Looking for runs pays until a run is about as long as what notes it.
_LEAST_RUN = 8


class MaskStore:
    """Masks by object number, packed in a nameless temporary file; safe to share between threads.

    Args:
        folder: Where the file lies; it needs about as much room as the masks' PNGs. Default: the system's.
    """

    def __init__(self, folder: str | None) -> None:
        self._file: Any = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - `close` closes it
        self._places: dict[int, tuple[int, int, tuple[int, int], str]] = {}
        self._lock = threading.Lock()

    def put(self, index: int, mask: MaskArray) -> frozenset[int]:
        """Keep a mask; the ids that it holds."""
        packed, ids = _pack(mask)
        with self._lock:
            place = self._file.seek(0, 2)
            self._file.write(packed)
            shape = cast("tuple[int, int]", mask.shape)
            self._places[index] = (place, len(packed), shape, mask.dtype.str)
        return ids

    def take(self, index: int) -> MaskArray | None:
        """The mask, or None if it was not kept."""
        if index not in self._places:
            return None
        place, length, shape, dtype = self._places[index]
        with self._lock:
            self._file.seek(place)
            packed = self._file.read(length)
        return _unpack(packed, shape, np.dtype(dtype))

    def close(self) -> None:
        """Let go of the file, and with it of the masks."""
        self._file.close()


def _pack(mask: MaskArray) -> tuple[bytes, frozenset[int]]:
    flat = mask.ravel()
    change = np.flatnonzero(flat[1:] != flat[:-1])
    if change.size > flat.size // _LEAST_RUN:
        ids = np.flatnonzero(np.bincount(flat))
        return b"P" + zlib.compress(flat.tobytes(), 1), frozenset(ids.tolist())
    starts = np.concatenate((np.zeros(1, np.uint32), (change + 1).astype(np.uint32)))
    values = flat[starts]
    data = np.uint32(starts.size).tobytes() + starts.tobytes() + values.tobytes()
    return b"R" + zlib.compress(data, 1), frozenset(np.unique(values).tolist())


def _unpack(packed: bytes, shape: tuple[int, int], dtype: np.dtype[Any]) -> MaskArray:
    data = zlib.decompress(packed[1:])
    if packed[:1] == b"P":
        return cast(MaskArray, np.frombuffer(bytearray(data), dtype).reshape(shape))
    count = int(np.frombuffer(data, np.uint32, 1)[0])
    starts = np.frombuffer(data, np.uint32, count, 4)
    values = np.frombuffer(data, dtype, count, 4 + 4 * count)
    lengths = np.diff(np.append(starts.astype(np.int64), shape[0] * shape[1]))
    return cast(MaskArray, np.repeat(values, lengths).reshape(shape))
