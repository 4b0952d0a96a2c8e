"""What a worker's page sends, checked before it is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..sources import Rule, guide, holds
from .errors import TaskError, shown
from .masks import MAX_PNG_BYTES, decode_answer

ANSWER_FORM = Rule(
    "answer-form",
    "An answer has the element's name, `inputImageProperties`, `labelMappings` and a PNG of that size.",
    guide("sms-ui-template-crowd-semantic-segmentation"),
)

_MAX_ANSWER_CHARACTERS = MAX_PNG_BYTES * 4 // 3 + 4 * 1024 * 1024


@holds(ANSWER_FORM)
def checked_answer(content: Any, *, element: str, labels: Sequence[str], width: int, height: int) -> str:
    """Return a form's answer as it is kept.

    Raises:
        TaskError: it isn't of the element's form, or not of the picture's size.
    """
    answer = content.get(element) if isinstance(content, dict) else None
    if not isinstance(answer, dict):
        raise TaskError(f"the answer must have the key {shown(element)}, the name of the template's element")
    text = json.dumps(content)
    if len(text) > _MAX_ANSWER_CHARACTERS:
        raise TaskError(f"the answer has more than {_MAX_ANSWER_CHARACTERS} characters")
    properties = answer.get("inputImageProperties")
    if properties != {"height": height, "width": width}:
        raise TaskError(
            f"inputImageProperties must be the picture's {width} x {height} pixels, got {shown(properties)}"
        )
    decode_answer(answer, labels=labels, width=width, height=height)
    return text
