"""The service's state: one SQLite database, so that it survives a restart and never sits in memory whole.

A job of 20,000 objects with 100,000 characters each, or a thousand masks under way, stay on disk.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    arn TEXT PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
    status TEXT NOT NULL, document TEXT NOT NULL, tags TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS objects (
    job TEXT NOT NULL, idx INTEGER NOT NULL, line TEXT NOT NULL, state TEXT NOT NULL,
    iteration INTEGER NOT NULL DEFAULT 0, taken INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0, declined INTEGER NOT NULL DEFAULT 0,
    opened REAL, width INTEGER, height INTEGER, result TEXT, PRIMARY KEY (job, idx)
);
CREATE INDEX IF NOT EXISTS objects_by_state ON objects (job, state, idx);
CREATE INDEX IF NOT EXISTS objects_to_take ON objects (job, taken) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS objects_by_iteration ON objects (job, iteration, state);
CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, job TEXT NOT NULL, idx INTEGER NOT NULL, worker TEXT NOT NULL, state TEXT NOT NULL,
    accepted REAL NOT NULL, deadline REAL NOT NULL, submitted REAL, seconds REAL, answer TEXT
);
CREATE INDEX IF NOT EXISTS tasks_by_object ON tasks (job, idx, worker);
CREATE INDEX IF NOT EXISTS tasks_in_hand ON tasks (job, deadline) WHERE state = 'accepted';
CREATE TABLE IF NOT EXISTS members (
    team TEXT NOT NULL, name TEXT NOT NULL, worker TEXT NOT NULL, subject TEXT NOT NULL,
    PRIMARY KEY (team, name)
);
CREATE INDEX IF NOT EXISTS members_by_worker ON members (worker);
CREATE INDEX IF NOT EXISTS tasks_by_worker ON tasks (worker) WHERE state = 'accepted';
CREATE TABLE IF NOT EXISTS drafts (
    job TEXT NOT NULL, idx INTEGER NOT NULL, worker TEXT NOT NULL, owner TEXT NOT NULL,
    saved REAL, content BLOB, PRIMARY KEY (job, idx, worker)
);
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, worker TEXT NOT NULL, name TEXT NOT NULL, team TEXT NOT NULL,
    since REAL NOT NULL, notice TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS sessions_by_worker ON sessions (worker);
CREATE TABLE IF NOT EXISTS activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, worker TEXT NOT NULL, kind TEXT NOT NULL,
    accepted REAL NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS activity_by_job ON activity (job, id);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_ADDED_COLUMNS = (("objects", "declined", "INTEGER NOT NULL DEFAULT 0"),)


class Store:
    """A thread-safe SQLite database in a folder, or in a temporary one that goes with ``close``."""

    def __init__(self, state_dir: Path | None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="ground-truth-") if state_dir is None else None
        folder = Path(self._temporary.name) if self._temporary else state_dir
        assert folder is not None
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / "ground-truth.sqlite", check_same_thread=False, isolation_level=None
        )
        self._connection.row_factory = sqlite3.Row
        # A laptop's stand-in survives a stop and a kill; a power cut only where a transaction is durable.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_SCHEMA)
        self._add_columns()

    def _add_columns(self) -> None:
        """Bring a state of an earlier version up to this one's columns."""
        for table, column, definition in _ADDED_COLUMNS:
            known = {row["name"] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            if column not in known:
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")

    def close(self) -> None:
        """Close the database; a temporary one is removed."""
        with self._lock:
            self._connection.close()
        if self._temporary:
            self._temporary.cleanup()

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Run several statements as one; other threads wait, an exception takes them back.

        Args:
            durable: return only when it is on the disk, so that a power cut doesn't take it back either.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            if durable:
                self._connection.execute("PRAGMA synchronous = FULL")
            try:
                # Commits at its end; what is raised takes everything back, and so does a commit that a full
                # disk refuses, which would leave the transaction open otherwise.
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    yield
            finally:
                if durable:
                    self._connection.execute("PRAGMA synchronous = OFF")

    def execute(self, sql: str, *parameters: object) -> int:
        """Run a statement and return how many rows it changed."""
        with self._lock:
            return self._connection.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for many rows in one transaction."""
        with self.transaction():
            self._connection.executemany(sql, rows)

    def row(self, sql: str, *parameters: object) -> sqlite3.Row | None:
        """Return the first row, if any."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def rows(self, sql: str, *parameters: object) -> list[sqlite3.Row]:
        """Return all rows."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()
