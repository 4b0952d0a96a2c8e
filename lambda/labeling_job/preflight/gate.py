"""Stands between the lifecycle and CreateLabelingJob."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..contract import JobProperties


def passed(
    request: Mapping[str, Any], properties: JobProperties, *, client: Callable[[str], Any], context: Any
) -> Mapping[str, str]:
    """Check the request and all that it names; the tags that the job gets.

    Raises:
        DeployError: the job should not be created; the message says everything that is wrong.
    """
    return {}
