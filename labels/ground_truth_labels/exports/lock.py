"""A file that one process holds at a time; who dies lets go of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO


def hold(location: str) -> IO[bytes] | None:
    """Hold a file until it is closed; None if another process does.

    Raises:
        OSError: The file can't be written.
    """
    path = Path(location)
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        return None
    return stream
