"""What workers have painted and not yet submitted, so that no closed tab, crash or expired task loses it.

A draft belongs to a worker and an object, not to a task: who gets a picture again finds what was painted.
The content is the page's own business; here it is bytes. One window at a time may save it: the one that
opened the task last. No page of the guide says what the service keeps; this is the portal's own promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .store import Store

if TYPE_CHECKING:
    from .tasks import Task

#: Bytes of a draft. Runs of equal pixels, deflated: a mask of 100 million pixels is far below it.
MAX_DRAFT_BYTES = 40 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a worker had painted."""

    content: bytes
    saved: float
    """Seconds since 1970."""


class DraftBook:
    """The drafts of all workers; they are in the store, so a restarted server has them."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def open(self, task: Task, window: str) -> Draft | None:
        """Let a window go on with a task: from now on no other one may save. Return what was painted."""
        key = (task.job, task.index, task.worker)
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO drafts (job, idx, worker, owner) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (job, idx, worker) DO UPDATE SET owner = excluded.owner",
                *key, window,
            )  # fmt: skip
            row = self._store.row(
                "SELECT content, saved FROM drafts WHERE job = ? AND idx = ? AND worker = ?", *key
            )
        found = row is not None and row["content"] is not None
        return Draft(content=row["content"], saved=row["saved"]) if row and found else None

    def save(self, task: Task, window: str, content: bytes) -> bool:
        """Keep a draft; ``False`` if another window has opened the task since."""
        changed = self._store.execute(
            "UPDATE drafts SET content = ?, saved = ? WHERE job = ? AND idx = ? AND worker = ? AND owner = ?",
            content, self._clock(), task.job, task.index, task.worker, window,
        )  # fmt: skip
        return changed == 1

    def owner(self, task: Task) -> str:
        """Return the window that has opened the task last, "" if none has."""
        row = self._store.row(
            "SELECT owner FROM drafts WHERE job = ? AND idx = ? AND worker = ?",
            task.job, task.index, task.worker,
        )  # fmt: skip
        return str(row["owner"]) if row else ""

    def remove(self, task: Task) -> None:
        """Forget a draft that was submitted or declined."""
        self._store.execute(
            "DELETE FROM drafts WHERE job = ? AND idx = ? AND worker = ?", task.job, task.index, task.worker
        )

    def kept(self, worker: str) -> set[tuple[str, int]]:
        """Return job and object of each draft of a worker's that has content."""
        rows = self._store.rows(
            "SELECT job, idx FROM drafts WHERE worker = ? AND content IS NOT NULL", worker
        )
        return {(row["job"], row["idx"]) for row in rows}
