"""What the server's process says when it is ready, or of why it never was."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from pathlib import Path

_START_TIMEOUT = 60.0
_LAST_LINES = 15


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
