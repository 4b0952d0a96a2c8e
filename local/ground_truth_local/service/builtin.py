"""The built-in task types of image semantic segmentation, and which account owns their functions where.

Read from the documentation strings of botocore's model, so this table is independent of the library's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..sources import Rule, assumed, twin
from ..sources import model as in_model
from . import model
from .errors import validation

SEGMENTATION = "SemanticSegmentation"
ADJUSTMENT = "AdjustmentSemanticSegmentation"
VERIFICATION = "VerificationSemanticSegmentation"

_ARNS = in_model(
    "HumanTaskConfig$PreHumanTaskLambdaArn, AnnotationConsolidationConfig$AnnotationConsolidationLambdaArn"
)
FUNCTION_MISSING = Rule(
    "built-in-function-required",
    "A built-in task type needs its `PRE-` and its `ACS-` function.",
    assumed(
        "the model makes both optional; the guide (sms-custom-templates-step2-automate) of custom tasks alone"
    ),
)
OTHER_FUNCTION = Rule(
    "built-in-function-unknown",
    "Only the built-in functions of image semantic segmentation run here.",
    twin("custom functions and other task types aren't embedded"),
)
REGION = Rule("region-without-functions", "A Region without built-in functions has no Ground Truth.", _ARNS)
FUNCTION_REGION = Rule("built-in-function-region", "The functions are in the job's own Region.", _ARNS)
FUNCTION_ACCOUNT = Rule(
    "built-in-function-account", "In each Region one account of Ground Truth's owns the functions.", _ARNS
)
SAME_TASK = Rule(
    "built-in-functions-match",
    "`PRE-` and `ACS-` function are for the same task type.",
    assumed(
        "the model lists them side by side; one mixed request to an account would tell, it is free if refused"
    ),
)

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


def check_functions(task: dict[str, Any], region: str) -> str:
    """Return the task type of a ``HumanTaskConfig``; its two functions must be the Region's own."""
    pre = _built_in(task.get("PreHumanTaskLambdaArn"), "PreHumanTaskLambdaArn", "PRE", region)
    consolidation = task.get("AnnotationConsolidationConfig") or {}
    acs = _built_in(
        consolidation.get("AnnotationConsolidationLambdaArn"),
        "AnnotationConsolidationLambdaArn",
        "ACS",
        region,
    )
    if pre != acs:
        raise validation(
            SAME_TASK,
            f"PreHumanTaskLambdaArn is for the task type {pre}, but "
            f"AnnotationConsolidationLambdaArn is for {acs}.",
        )
    return pre


def _built_in(arn: str | None, member: str, stage: str, region: str) -> str:
    if not arn:
        raise validation(
            FUNCTION_MISSING, f"{member} is required for the built-in task type {stage}-{SEGMENTATION}."
        )
    function = parse_function(arn)
    if function is None or function.stage != stage:
        raise validation(
            OTHER_FUNCTION,
            f"{member} '{arn}' is not a built-in {stage}- function of image semantic segmentation; "
            "this service runs no other task types and no functions of your own.",
        )
    if region not in regions():
        listed = ", ".join(regions())
        raise validation(REGION, f"Ground Truth is not available in '{region}'. It is in: {listed}.")
    account = owner(region, stage, function.task)
    expected = f"arn:aws:lambda:{region}:{account}:function:{stage}-{function.task}"
    if function.region != region:
        raise validation(
            FUNCTION_REGION,
            f"{member} '{arn}' is in '{function.region}', the job is in '{region}': use '{expected}'.",
        )
    if function.account != account:
        raise validation(
            FUNCTION_ACCOUNT,
            f"{member} '{arn}' is not owned by Ground Truth: account {function.account} is wrong for "
            f"'{region}', use '{expected}'.",
        )
    return function.task
