"""Tells whether the files that a preview is made of have changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from .designs import Design

_SUFFIXES = frozenset({".py", ".html", ".htm", ".liquid", ".json", ".md", ".txt", ".jpg", ".jpeg", ".png"})
_SKIPPED = frozenset({"node_modules", "cdk.out", "__pycache__", "venv", "site-packages"})


class Watch:
    """Looks at files when it is asked, and loads the design anew when one has changed.

    Args:
        places: files and folders; of a folder all that an app, its template or its instructions may be.
        load: loads the design.
    """

    def __init__(self, places: list[Path], load: Callable[[], Design]) -> None:
        self._places, self._load = places, load
        self._seen = self._look()
        self._lock = threading.Lock()

    def fresh(self) -> Design | None:
        """Return the design if a file has changed since, else `None`; also while another thread loads it.

        Raises:
            DesignError: it can't be loaded as the files are now.
        """
        if not self._lock.acquire(blocking=False):
            return None
        try:
            seen = self._look()
            if seen == self._seen:
                return None
            self._seen = seen
            return self._load()
        finally:
            self._lock.release()

    def _look(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for path in (path for place in self._places for path in _files(place)):
            try:
                facts = path.stat()
            except OSError:
                # An editor replaces the file at this moment: the next look sees the new one.
                continue
            found[path] = (facts.st_mtime_ns, facts.st_size)
        return found


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        yield from (Path(folder, name) for name in names if Path(name).suffix.lower() in _SUFFIXES)
