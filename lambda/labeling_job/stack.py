"""What CloudFormation says of the stack, so that no job goes on that it has given up on.

CloudFormation cancels a resource that is still being made when another one fails: it sends a Delete, under
an id of its own making, while the create still runs. And the Lambda service may deliver an event when its
operation is long over. Only the stack itself tells such an event from one that is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from . import log
from .errors import BrokenAnswerError, DeployError, code_of, said
from .event import Event
from .patience import Patience

_FORWARD = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "REVIEW_IN_PROGRESS", "IMPORT_IN_PROGRESS")
# Nothing here is worth more: an answer that CloudFormation doesn't give is an answer as well.
_OUTAGE = timedelta(seconds=30)


class Status(str):
    """A stack's status; one that is not known is taken to be what the event says."""

    @property
    def makes_resources(self) -> bool:
        """On its way forward: a rollback makes no job, an idle stack waits for none."""
        return self in ("", *_FORWARD)

    @property
    def rolls_back(self) -> bool:
        """On its way back."""
        return self.endswith("ROLLBACK_IN_PROGRESS")

    @property
    def deletes(self) -> bool:
        """It may send a Delete: it cleans up, rolls back, goes or is gone."""
        return self in ("", "DELETE_COMPLETE") or (self.endswith("_IN_PROGRESS") and self not in _FORWARD)


class Stack:
    """The stack of one event.

    Args:
        client: makes the boto3 CloudFormation client, when it is first needed.
    """

    def __init__(self, event: Event, client: Callable[[], Any], patience: Patience) -> None:
        self._stack = {"StackName": event.stack_id}
        self._resource = {**self._stack, "LogicalResourceId": event.logical_id}
        self._client = client
        self._patience = patience
        self._outage = _OUTAGE

    def status(self) -> Status:
        """The stack's status; empty if CloudFormation doesn't say."""
        answer = self._ask("Stacks", lambda: self._client().describe_stacks(**self._stack))
        if answer is None:
            return Status()
        # By its id a deleted stack is described for 90 days, and then unknown, which is as definite.
        return Status(answer["Stacks"][0].get("StackStatus", "") if answer else "DELETE_COMPLETE")

    def physical_id(self) -> str | None:
        """The id under which the stack has the resource; empty if it has none, None if it doesn't say."""
        answer = self._ask(
            "StackResourceDetail", lambda: self._client().describe_stack_resource(**self._resource)
        )
        if answer is None:
            return None
        return str(answer.get("StackResourceDetail", {}).get("PhysicalResourceId", ""))

    def _ask(self, needed: str, question: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """The answer, empty where there is nothing of that name, None where there is no answer."""

        def whole() -> dict[str, Any]:
            answer = question()
            if not answer.get(needed):
                raise BrokenAnswerError(f"CloudFormation's answer lacks {needed}")
            return answer

        try:
            return self._patience.insist(whole, outage=self._outage)
        except ClientError as error:
            if code_of(error) == "ValidationError":
                return {}  # no such stack, or no such resource in it
            log.action("StackUnknown", error=said(error))
        except (DeployError, BotoCoreError) as error:
            log.action("StackUnknown", error=said(error))
            # Where nobody answers, as in a VPC without a way out, one try for each further question.
            self._outage = timedelta()
        return None
