"""What of a labeling job its input is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from ..limits import TASK_TYPE


@dataclass(frozen=True, kw_only=True)
class LabelingTask:
    """The labels that a job makes; an empty attribute is one that isn't known yet."""

    attribute: str = ""
    task_type: str = TASK_TYPE
    automated: bool = False

    @property
    def is_verification(self) -> bool:
        """Whether the job's labels are verdicts on those of an earlier one."""
        return self.task_type.startswith("Verification")

    @property
    def is_chain(self) -> bool:
        """Whether the job shows workers the labels of an earlier one."""
        return self.task_type.startswith(("Adjustment", "Verification"))
