"""The hidden folder of an export under way: its plan, its journal, and files while they grow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import IO, Any

from ..errors import ExportError
from ..storage import Storage, is_s3, join
from .lock import hold

HIDDEN = ".ground-truth-labels"
DONE = "_labels/export.json"
_LOCK = "lock"
_FLUSH_ENTRIES, _FLUSH_SECONDS = 64, 2.0


class Workspace:
    """What makes an export resumable.

    The journal is a prefix of the batches in their fixed order, in numbered files that each appear whole, so
    "how many entries" is all that a second run has to know.
    """

    def __init__(self, storage: Storage, target: str) -> None:
        self.storage = storage
        self.target = target
        self._home = join(target, HIDDEN)
        self._staging = join(self._home, "staging")
        self._buffer: list[str] = []
        self._files = 0
        self._flushed = time.monotonic()
        self._lock: IO[bytes] | None = None

    def open(self, plan: dict[str, Any]) -> int | None:
        """Begin or resume; the number of batches already written, or None if the export is complete.

        One export at a time writes in a folder. In S3, which has no locks, nothing keeps two apart.

        Raises:
            ExportError: The target holds something else.
        """
        self._refuse_links()
        done = self._finished(plan)
        if done and not self._unfinished():
            return None
        if not is_s3(self.target):
            self._lock = hold(join(self._home, _LOCK))
            if self._lock is None:
                raise ExportError(
                    f"{self.target}: another export is writing here; wait for its end, or choose another "
                    "target"
                )
            # Whoever held it until now may have come to the end.
            done = self._finished(plan)
            if not done:
                self._clean_staging()
        if done:
            # It died between its last file and the end of its cleaning.
            self.close()
            return None
        if not self._unfinished():
            self.write(f"{HIDDEN}/plan.json", json.dumps(plan).encode())
        self._files = len(self._journal())
        return sum(1 for _ in self.entries())

    def _finished(self, plan: dict[str, Any]) -> bool:
        """Whether this very export is there, complete.

        Raises:
            ExportError: The target holds something else.
        """
        lock = f"{HIDDEN}/{_LOCK}"
        if all(name == lock for name in self.storage.list(self.target)):
            return False
        if self.storage.exists(join(self.target, DONE)):
            if self._json(join(self.target, DONE))["plan"] == plan:
                return True
            raise ExportError(f"{self.target}: holds another finished export; choose an empty target")
        if not self._unfinished():
            raise ExportError(f"{self.target}: is not empty and holds no export; choose an empty target")
        if self._json(join(self._home, "plan.json")) != plan:
            raise ExportError(
                f"{self.target}: holds an unfinished export of other labels or options; "
                "repeat it with its own options, or choose an empty target"
            )
        return False

    def release(self) -> None:
        """Let another export write here."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _refuse_links(self) -> None:
        """A prepared target must not lead what is written and removed below it to another place."""
        import os

        if is_s3(self.target) or not os.path.isdir(self.target):
            return
        for folder, folders, files in os.walk(self.target):
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    raise ExportError(
                        f"{path}: is a symbolic link; an export writes and removes below its target alone: "
                        "choose an empty target"
                    )

    def write(self, name: str, data: bytes) -> None:
        """Write one file below the target, whole or not at all."""
        self.storage.write(self._place(name), data, staging=None if is_s3(self.target) else self._staging)

    def write_stream(self, name: str, pieces: Any) -> None:
        """Write one file that comes in pieces."""
        staging = None if is_s3(self.target) else self._staging
        self.storage.write_stream(self._place(name), pieces, staging=staging)

    def scratch(self) -> str | None:
        """A local folder for what need not outlive this process, or None for the system's own."""
        return None if is_s3(self.target) else self._staging

    def saved(self, name: str) -> Any:
        """What `save` kept under this name, or None."""
        location = join(self._home, name)
        return self._json(location) if self.storage.exists(location) else None

    def save(self, name: str, value: Any) -> None:
        """Keep a value for a later run of the same export."""
        self.write(f"{HIDDEN}/{name}", json.dumps(value).encode())

    def append(self, entry: Any) -> None:
        """Note that the next batch in order has been written."""
        self._buffer.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        if len(self._buffer) >= _FLUSH_ENTRIES or time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Make the journal durable up to the last `append`."""
        if self._buffer:
            data = "\n".join([*self._buffer, ""]).encode()
            self.write(f"{HIDDEN}/journal/{self._files:08d}.jsonl", data)
            self._files += 1
        self._buffer = []
        self._flushed = time.monotonic()

    def entries(self) -> Iterator[Any]:
        """The journal so far, in order; each call is a new pass."""
        for name in self._journal():
            with self.storage.open(join(self._home, "journal", name)) as stream:
                for line in stream.read().splitlines():
                    yield json.loads(line)

    def close(self) -> None:
        """Remove everything hidden: the export is complete."""
        self.release()
        for name in reversed(list(self.storage.list(self._home))):
            self.storage.remove(join(self._home, name))
        if not is_s3(self.target):
            import shutil

            shutil.rmtree(self._home, ignore_errors=True)

    def _place(self, name: str) -> str:
        parts = name.split("/")
        if any(part in ("", "..", ".") or "\\" in part or ":" in part for part in parts):
            raise ExportError(f"{self.target}: {name!r} is not a name below the target")
        return join(self.target, *parts)

    def _unfinished(self) -> bool:
        return self.storage.exists(join(self._home, "plan.json"))

    def _journal(self) -> list[str]:
        return sorted(self.storage.list(join(self._home, "journal")))

    def _json(self, location: str) -> Any:
        return json.loads(self.storage.read(location))

    def _clean_staging(self) -> None:
        from pathlib import Path

        Path(self._staging).mkdir(parents=True, exist_ok=True)
        for part in Path(self._staging).iterdir():
            part.unlink()
