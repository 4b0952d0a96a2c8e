"""Batches of messages: on AWS the permission is that of one message; to MiniStack it has the batch's name.

SQS Developer Guide, "Amazon SQS batch actions": permissions can't be set for the batch actions. SNS has no
action `PublishBatch` in the service authorization reference either.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

_SINGLE = {
    f"{action}Batch": action
    for action in (
        "sqs:SendMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sns:Publish",
    )
}
_stock = iam_actions.extract_iam_action


def install() -> None:
    """Ask for the permission of one message."""
    iam_actions.extract_iam_action = _action


def _action(*request: Any, **options: Any) -> Any:
    action = _stock(*request, **options)
    return _SINGLE.get(action, action)
