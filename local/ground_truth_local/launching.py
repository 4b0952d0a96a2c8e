"""The server's process: how it begins and ends, what it says when it is ready, or of why it never was."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from .settings import Settings, StateDir

_START_TIMEOUT = 60.0
_STOP_TIMEOUT = 20.0
_LAST_LINES = 15


def process_of(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the server's process."""
    state = StateDir(settings.state_dir)
    with state.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ground_truth_local.process", settings.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=state.root,
            # A terminal's Ctrl-C goes to the whole group; the server is stopped by us, in order.
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop it: in order, or if that takes too long, at once."""
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()  # type: ignore[union-attr]


def message_of(process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    """Wait for the process's one line: its addresses, or under ``error`` why it didn't start."""
    deadline = time.monotonic() + _START_TIMEOUT
    line, output = b"", process.stdout
    assert output is not None
    while time.monotonic() < deadline and not line.endswith(b"\n"):
        readable, _, _ = select.select([output], [], [], 0.2)
        if readable:
            chunk = os.read(output.fileno(), 65536)
            if not chunk:
                break
            line += chunk
    try:
        return {name: str(value) for name, value in json.loads(line).items()}
    except ValueError:
        lines = log.read_text(errors="replace").splitlines()
        return {"error": "\n".join(lines[-_LAST_LINES:]) or "it printed nothing"}
