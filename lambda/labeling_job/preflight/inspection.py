"""One run of preflight: what all its checks need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..rules.findings import Findings
from .access import Reader
from .plan import Plan


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What is judged, who is asked, and where it is said.

    Attributes:
        plan: the job as it is about to be created.
        findings: what breaks a rule, or looks as if.
        reader: S3.
        client: service's name → boto3 client.
        job_name: the job's, for the place of its output.
        out_of_time: whether looking at what may be looked at in part has to end.
        ending: whether reading the manifest has to end, which can't be looked at in part.
    """

    plan: Plan
    findings: Findings
    reader: Reader
    client: Callable[[str], Any]
    job_name: str = ""
    out_of_time: Callable[[], bool] = lambda: False
    ending: Callable[[], bool] = lambda: False

    def error(self, check: str, rule: str, got: object = "", *, line: int = 0) -> None:
        """Say what stops the deploy."""
        self.findings.error(check, rule, got, line=line)

    def warn(self, check: str, rule: str, got: object = "", *, line: int = 0) -> None:
        """Say what doesn't."""
        self.findings.warn(check, rule, got, line=line)
