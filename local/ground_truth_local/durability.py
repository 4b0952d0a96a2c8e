"""State on disk that is consistent at every moment: a killed server is taken up where its last answer was.

MiniStack writes its services' state once, on a clean stop. Here a request that changes something is answered
after its change is on disk: all services that changed are written to one SQLite database in one transaction,
so a kill leaves the state before or after a change, never half of it. CloudFormation works on after its
answer; its progress is written about once a second, its own record before what it made, so that a stack never
claims what isn't there. Objects of S3 are files of their own, each replaced in one step; Ground Truth has a
database of its own. None of it survives a power cut: nothing is flushed to the platter.

The hooks are `app.load_state` and `app.save_all`, which MiniStack calls by these names.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack import app as ministack_app
from ministack.core import persistence
from ministack.services import cloudformation, s3

_log = logging.getLogger(__name__)
# A stack of which nobody works any more, by what it was at.
_INTERRUPTED = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
}
_READS = re.compile(
    r"(Describe|List|Get|BatchGet|Lookup|Simulate|Check|Validate|Estimate|Filter|Query|Scan|Receive|Assume)"
)
# Hundreds of them come a second while jobs are labeled, and each would wait for the state of all services.
_TELLS = re.compile(r"(PutLogEvents|CreateLogStream|PutMetricData)")
#: The services that keep what is told; with a large job it is most of all that is kept.
_TOLD = frozenset({"cloudwatch", "cloudwatch_logs"})
#: Services by which no log group and no alarm is made.
_APART = frozenset({"iam", "s3"})
_BACKGROUND_SECONDS = 1.0
_SNAPSHOT_TRIES = 20
_unwritten: contextvars.ContextVar[list[OSError] | None] = contextvars.ContextVar("unwritten", default=None)


class NotWritten(Exception):
    """A change could not be written to disk; the message says why."""


def changes_state(method: str, path: str, service: str, action: str) -> bool:
    """Whether a request is answered when what it changes is on disk.

    Not where it changes nothing, or an object of S3, which is a file of its own; log lines and metrics are
    written in the background.
    """
    if method in {"GET", "HEAD", "OPTIONS"} or _READS.match(action) or _TELLS.fullmatch(action):
        return False
    if service == "s3":
        return path.strip("/").count("/") == 0
    return not path.endswith("/invocations")


class Journal:
    """The state of MiniStack's services in one database."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / "services.sqlite", check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS services (name TEXT PRIMARY KEY, state TEXT NOT NULL)"
        )
        # A hash of what is written of each service tells whether it has changed; unlike a digest, it needs no
        # copy of a text that grows with the log.
        self._written: dict[str, int] = {}
        self._turn = asyncio.Lock()
        self._asked = self._done = 0
        self._touched = self._told = False
        self._background: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Load and save through this journal, and notice when S3 can't write an object."""
        ministack_app.load_state = self.load
        ministack_app.save_all = lambda services: self.write(services)
        stock = s3._atomic_write

        def atomic_write(*args: Any, **kwargs: Any) -> Any:
            try:
                return stock(*args, **kwargs)
            except OSError as error:
                # MiniStack logs this and answers 200.
                _note_unwritten(error)
                raise

        s3._atomic_write = atomic_write
        s3._persist_object = _noticing(s3._persist_object)
        s3._persist_delete_marker = _with_folder(s3._persist_delete_marker)

    def load(self, service: str) -> Any:
        """Return a service's state, `None` if there is none."""
        row = self._connection.execute("SELECT state FROM services WHERE name = ?", (service,)).fetchone()
        if row is None:
            # A version before the journal left its state like this.
            return persistence.load_state(service)
        return json.loads(row[0], object_hook=persistence._json_object_hook)

    def write(self, services: Mapping[str, Callable[[], Any]], *, told: bool = True) -> None:
        """Write the services that have changed, in one transaction.

        Args:
            services: gives each service's state.
            told: whether to write log lines and metrics also where nothing but services apart has changed.

        Raises:
            sqlite3.Error: the disk is full or can't be written.
        """
        with self._lock:
            changed: list[tuple[str, str]] = []
            hashes: dict[str, int] = {}
            # Referrers are read before what they refer to: what is made meanwhile is then unknown, never
            # missing.
            for name in sorted(services, key=lambda name: (name != "cloudformation", name in _TOLD)):
                if name in _TOLD and not told and hashes.keys() <= _APART:
                    continue
                text = _snapshot(name, services[name])
                if text is None:
                    continue
                if self._written.get(name) != hash(text):
                    changed.append((name, text))
                    hashes[name] = hash(text)
            if not changed:
                return
            # Commits at its end, and takes everything back if anything is raised.
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT OR REPLACE INTO services VALUES (?, ?)", changed)
            self._written |= hashes

    async def commit(self, service: str = "") -> None:
        """Return when all changes made so far are on disk.

        Args:
            service: whose request asks; log lines and metrics can wait for requests of the services apart.

        Raises:
            NotWritten: they are not.
        """
        self._asked += 1
        mine = self._asked
        self._told = self._told or service not in _APART
        async with self._turn:
            if self._done >= mine:
                return
            upto, told, self._told = self._asked, self._told, False
            services = ministack_app._build_persistence_save_dict()
            try:
                await asyncio.to_thread(self.write, services, told=told)
            except (sqlite3.Error, OSError) as error:
                self._told = self._told or told
                raise NotWritten(str(error)) from error
            self._done = upto

    def touch(self) -> None:
        """Note that something may change in the background from now on."""
        self._touched = True

    def start(self) -> None:
        """End what a kill interrupted, and write what changes in the background."""
        _end_interrupted_stacks()
        self._background = asyncio.create_task(self._write_in_background())

    async def stop(self) -> None:
        """Write no more in the background; MiniStack's own shutdown writes the last state."""
        if self._background is not None:
            self._background.cancel()

    async def _write_in_background(self) -> None:
        pause = _BACKGROUND_SECONDS
        while True:
            await asyncio.sleep(pause)
            if not (self._touched or _stacks_in_progress()):
                continue
            self._touched = False
            started = time.monotonic()
            try:
                await self.commit()
            except NotWritten as error:
                self._touched = True
                _log.error("The state can't be written: %s", error)
            # At most a tenth of the time goes into writing, however large the state is.
            pause = max(_BACKGROUND_SECONDS, 10 * (time.monotonic() - started))


def _note_unwritten(error: OSError) -> None:
    failures = _unwritten.get()
    if failures is not None:
        failures.append(error)


def _noticing(stock: Callable[..., None]) -> Callable[..., None]:
    """Notice a body that is still in memory: MiniStack drops it when it is written, its folder included."""

    def persist(bucket: str, key: str, record: Any) -> None:
        stock(bucket, key, record)
        if isinstance(record, dict) and record.get("body") is not None and s3.S3_PERSIST:
            _note_unwritten(OSError(f"the object {bucket}/{key} couldn't be written"))

    return persist


def _with_folder(stock: Callable[..., None]) -> Callable[..., None]:
    """Make a marker's folder first: where MiniStack can't, it logs that and answers 200, too."""

    def persist(bucket: str, key: str, record: Any) -> None:
        try:
            path = s3._object_disk_path(bucket, key)
            if path is not None and s3.S3_PERSIST:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        except OSError as error:
            _note_unwritten(error)
        stock(bucket, key, record)

    return persist


@contextlib.contextmanager
def noticing_unwritten_objects() -> Any:
    """Collect the objects that S3 could not write while a request is answered."""
    failures: list[OSError] = []
    token = _unwritten.set(failures)
    try:
        yield failures
    finally:
        _unwritten.reset(token)


def _snapshot(name: str, get_state: Callable[[], Any]) -> str | None:
    for tries_left in reversed(range(_SNAPSHOT_TRIES)):
        try:
            state = get_state()
            break
        except RuntimeError:
            # Another thread changed a dictionary while it was copied.
            if not tries_left:
                raise
            time.sleep(0.01)
    return None if state is None else json.dumps(state, default=persistence._json_default)


def _stacks_in_progress() -> bool:
    return any(
        str(stack.get("StackStatus", "")).endswith("_IN_PROGRESS")
        for stack in list(cloudformation._stacks._data.values())
    )


def _end_interrupted_stacks() -> None:
    """Give stacks that were under way when the server was killed a status from which people can go on."""
    for stack in cloudformation._stacks._data.values():
        ended = _INTERRUPTED.get(stack.get("StackStatus", ""))
        if ended:
            stack["StackStatus"] = ended
            stack["StackStatusReason"] = "The embedded AWS was stopped while this operation was under way."
