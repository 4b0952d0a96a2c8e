"""Sorts any number of records in memory that doesn't grow with them."""

from __future__ import annotations

import heapq
import struct
import tempfile
from collections.abc import Iterator
from operator import itemgetter
from typing import IO

#: Bytes of records that are held at once, with what Python needs for each; the rest waits on the disk.
_CHUNK_BYTES = 32 * 1024 * 1024
_OF_A_RECORD = 160
_LENGTHS = struct.Struct("<II")

Record = tuple[bytes, bytes]


class Sorted:
    """Records of a key and a value, iterated in the order of their keys; equal keys as they came."""

    def __init__(self, chunk_bytes: int = _CHUNK_BYTES) -> None:
        self._most = chunk_bytes
        self._chunk: list[Record] = []
        self._size = 0
        self._files: list[IO[bytes]] = []

    def add(self, key: bytes, value: bytes = b"") -> None:
        """Take up a record."""
        self._chunk.append((key, value))
        self._size += len(key) + len(value) + _OF_A_RECORD
        if self._size >= self._most:
            self._spill()

    def __iter__(self) -> Iterator[Record]:
        self._chunk.sort(key=itemgetter(0))
        if not self._files:
            return iter(self._chunk)
        return heapq.merge(*map(_read, self._files), self._chunk, key=itemgetter(0))

    def _spill(self) -> None:
        self._chunk.sort(key=itemgetter(0))
        # It is closed, and so removed, with the last reference to it.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        for key, value in self._chunk:
            file.write(_LENGTHS.pack(len(key), len(value)))
            file.write(key)
            file.write(value)
        self._files.append(file)
        self._chunk, self._size = [], 0


def _read(file: IO[bytes]) -> Iterator[Record]:
    file.seek(0)
    while lengths := file.read(_LENGTHS.size):
        of_key, of_value = _LENGTHS.unpack(lengths)
        yield file.read(of_key), file.read(of_value)
