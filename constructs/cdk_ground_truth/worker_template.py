"""A worker template of one's own, checked at synth time: its mistakes would show in the worker's browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ._rooms import findings, template
from .task_types import SEGMENTATION, TaskType
from .validation import Checker


@dataclass(frozen=True)
class WorkerTemplate:
    """A complete worker template; make it with `from_file`."""

    path: Path

    @classmethod
    def from_file(cls, path: str | Path) -> WorkerTemplate:
        """Use an HTML file of this machine, instead of `Instructions`.

        It needs the crowd elements' script, a ``crowd-form``, and in that one ``crowd-semantic-segmentation``
        with ``name``, ``header``, ``src`` and ``labels`` as in the service's own template. Then the
        auto-segmentation tool appears too. That of a verification job needs one ``crowd-image-classifier``
        instead, with ``categories``.
        """
        return cls(Path(path))

    def read(
        self,
        check: Checker,
        labels: Sequence[str],
        found: findings.Findings,
        task_type: TaskType = SEGMENTATION,
    ) -> bytes:
        """The template's content, by the rules that the deploy holds it against.

        Raises:
            ValueError: names the file, the check, the rules and what was met instead.
        """
        if not self.path.is_file():
            check.fail("worker_template", "be an existing file", str(self.path))
        content = self.path.read_bytes()
        template.check(content, {}, list(labels), found, task_type=task_type.name)
        check.findings("worker_template", found, str(self.path))
        return content
