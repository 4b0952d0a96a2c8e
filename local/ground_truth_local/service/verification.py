"""Verification jobs: workers' verdicts on earlier labels, and what is written of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..sources import Rule, assumed, guide, holds
from .errors import JobFailure, TaskError, shown
from .rules import S3Location

MAX_VERDICTS = 10
VERDICTS = Rule(
    "verification-verdicts",
    "A verification has at most 10 verdicts.",
    guide("sms-ui-template-crowd-image-classifier, categories; input-data-limits has no limit for requests"),
)
VERDICT_FORM = Rule(
    "verdict-form",
    "An answer has the element's name, `label` with a verdict, and `workerComment` if one was written.",
    guide("sms-ui-template-crowd-image-classifier, output"),
)
VERDICT_LABEL = Rule(
    "verdict-label",
    "The label is the verdict's index as text; metadata: `class-name`, `confidence`, `type` "
    "`groundtruth/label-verification`, `worker-feedback` with the comments that were written.",
    guide("sms-data-output, label verification output"),
)
VERDICT_VOTE = Rule(
    "verdict-vote",
    "The verdict of most workers wins, of equals the one that is listed first; confidence is their share.",
    assumed("the model names a variant of expectation maximisation, which is not published"),
)
TYPE = "groundtruth/label-verification"

_MAX_COMMENT = 100_000


@holds(VERDICTS)
def check_verdicts(verdicts: Sequence[str], where: S3Location) -> None:
    """Check how many verdicts there are.

    Raises:
        JobFailure: more than the element can show.
    """
    if len(verdicts) > MAX_VERDICTS:
        raise JobFailure(
            VERDICTS,
            f"ClientError: The label category file {where} has {len(verdicts)} labels; a verification has at "
            f"most {MAX_VERDICTS}.",
        )


@holds(VERDICT_FORM)
def checked_verdict(content: Any, *, element: str, verdicts: Sequence[str]) -> str:
    """Return a form's answer as it is kept.

    Raises:
        TaskError: it isn't of the element's form, or names another verdict.
    """
    answer = content.get(element) if isinstance(content, dict) else None
    if not isinstance(answer, dict):
        raise TaskError(f"the answer must have the key {shown(element)}, the name of the template's element")
    if answer.get("label") not in verdicts:
        raise TaskError(f"label must be one of {shown(list(verdicts))}, got {shown(answer.get('label'))}")
    comment = answer.get("workerComment", "")
    if not isinstance(comment, str) or len(comment) > _MAX_COMMENT:
        raise TaskError(f"workerComment must be text of at most {_MAX_COMMENT} characters")
    return json.dumps(content)


@holds(VERDICT_LABEL, VERDICT_VOTE)
def consolidated(answers: Sequence[dict[str, Any]], verdicts: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the label of an object, and what its metadata says beside time and job."""
    votes = Counter(verdicts.index(answer["label"]) for answer in answers)
    index = min(votes, key=lambda verdict: (-votes[verdict], verdict))
    metadata: dict[str, Any] = {
        "class-name": verdicts[index],
        "confidence": round(votes[index] / len(answers), 6),
        "type": TYPE,
    }
    comments = [answer["workerComment"] for answer in answers if answer.get("workerComment", "").strip()]
    if comments:
        metadata["worker-feedback"] = [{"comment": comment} for comment in comments]
    return str(index), metadata
