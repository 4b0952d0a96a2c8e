"""The Ground Truth service of a server whose Lambda workers the operating system kills; runs in the server.

What to do is in `PLAN` in the server's folder, which a test writes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from ground_truth_local.service.api import GroundTruthService
from ground_truth_local.service.jobs import ENDED, LIVE
from ground_truth_local.service.pace import Pace
from ground_truth_local.service.types import Answer, Call

PLAN = "kill-plan.json"
_lock = threading.Lock()


def write_plan(root: Path, **plan: Any) -> None:
    """Tell the server what to do.

    `operation`, `when` ("before" or "after" its effect) and `times` are of kills, and `then` has those of the
    kills after them; `initializing` and `stopping` are seconds; `force` is {job: status}.
    """
    temporary = root / f"{PLAN}.new"
    temporary.write_text(json.dumps(plan))
    temporary.replace(root / PLAN)


def read_plan(root: Path = Path()) -> dict[str, Any]:
    """The plan as it stands; the server counts `times` down in it."""
    try:
        return dict(json.loads((root / PLAN).read_text()))
    except FileNotFoundError:
        return {}


class PlannedPace(Pace):
    """Statuses last as long as the plan says."""

    def __getattribute__(self, name: str) -> Any:
        usual = super().__getattribute__(name)
        return read_plan().get(name, usual) if name in ("initializing", "stopping") else usual


class KillingService(GroundTruthService):
    """Kills the Lambda's process when its call comes in, or when the call has had its effect."""

    def __init__(self, state_dir: Path | None, aws: Any) -> None:
        super().__init__(state_dir, aws, pace=PlannedPace())
        self._forced: set[str] = set()

    def handle(self, call: Call) -> Answer:
        """Answer a call, and let the plan happen."""
        for name, status in read_plan().get("force", {}).items():
            self._force(name, status)
        when = _due(call)
        if when == "before":
            _kill_workers()
            return Answer.error("InternalFailure", "nobody reads this", status=500)
        answer = super().handle(call)
        if when == "after":
            _kill_workers()
        return answer

    def _force(self, name: str, status: str) -> None:
        """Put a job into a status, once."""
        job = next(each for each in self._jobs.with_status((*LIVE, *ENDED)) if each.name == name)
        if name not in self._forced:
            self._forced.add(name)
            before, job.status = job.status, status
            job.created = job.modified = time.time()
            self._jobs.save(job, only_if=(before,))
            self._engine.launch(job)


def _due(call: Call) -> str:
    with _lock:
        plan = read_plan()
        ours = "HandlerRole" in call.principal_arn and call.operation == plan.get("operation")
        if not ours or plan["times"] <= 0:
            return ""
        rest = {**plan, "times": plan["times"] - 1}
        if not rest["times"]:
            rest |= rest.pop("then", {})
        write_plan(Path(), **rest)
        return str(plan["when"])


def _kill_workers() -> None:
    """SIGKILL for the server's own children: its Lambda workers."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        pid, parent, command = line.split(None, 2)
        if int(parent) == os.getpid() and "python" in command:
            os.kill(int(pid), signal.SIGKILL)
