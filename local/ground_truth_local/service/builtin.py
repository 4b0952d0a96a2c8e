"""The built-in task types of image semantic segmentation, and which account owns their functions where.

Read from the documentation strings of botocore's model, so this table is independent of the library's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from . import model

SEGMENTATION = "SemanticSegmentation"
ADJUSTMENT = "AdjustmentSemanticSegmentation"
VERIFICATION = "VerificationSemanticSegmentation"

_SOURCES = {
    "PRE": ("HumanTaskConfig", "PreHumanTaskLambdaArn"),
    "ACS": ("AnnotationConsolidationConfig", "AnnotationConsolidationLambdaArn"),
}
_DOCUMENTED_ARN = re.compile(
    r"arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:"
    r"(?P<stage>PRE|ACS)-(?P<task>(?:Adjustment|Verification)?SemanticSegmentation)\b"
)
_FUNCTION_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]*):(?P<account>\d{12}):function:(?P<name>[^:]+)(?::.*)?"
)


@dataclass(frozen=True, kw_only=True)
class BuiltInFunction:
    """A ``PRE-`` or ``ACS-`` function as a request names it."""

    region: str
    account: str
    stage: str
    task: str


@cache
def _documented() -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for stage, (shape, member) in _SOURCES.items():
        for match in _DOCUMENTED_ARN.finditer(model.documentation(shape, member)):
            if match["stage"] == stage:
                found[match["region"], stage, match["task"]] = match["account"]
    return found


def owner(region: str, stage: str, task: str) -> str | None:
    """Return the account that owns the built-in function in a Region, ``None`` where there is none."""
    return _documented().get((region, stage, task))


def regions() -> tuple[str, ...]:
    """Return the Regions whose ``PRE-SemanticSegmentation`` the model documents, sorted."""
    return tuple(
        sorted({region for region, stage, task in _documented() if (stage, task) == ("PRE", SEGMENTATION)})
    )


def parse_function(arn: str) -> BuiltInFunction | None:
    """Take an ARN of a built-in segmentation function apart; ``None`` for any other function."""
    match = _FUNCTION_ARN.fullmatch(arn)
    if match is None:
        return None
    stage, _, task = match["name"].partition("-")
    if stage not in _SOURCES or task not in {SEGMENTATION, ADJUSTMENT, VERIFICATION}:
        return None
    return BuiltInFunction(region=match["region"], account=match["account"], stage=stage, task=task)
