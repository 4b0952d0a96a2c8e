"""CloudFormation and the Lambda service, as far as a custom resource meets them; time is virtual.

What is simulated, and where it is known from, is in `docs/lifecycle.md`: asynchronous invocation with two
retries of the same event, the service timeout, the id that CloudFormation makes up for a create that never
answered, the cancelled create or update whose Delete or Update comes while it still runs, clean-up after a
replacement, and both orders in which a replaced resource may be rolled back.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

SERVICE_TIMEOUT = 3_000
_RETRY_WAITS = (0, 60, 120)
_CLEANUP_TRIES = 3
_MARKER = "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"


@dataclass
class Resource:
    """The labeling job as the stack has it."""

    physical_id: str
    properties: dict[str, Any]


class CloudFormation:
    """One stack with one labeling job and, beside it, something that may fail.

    Args:
        invoke: runs the handler on an event; False if it was killed, timed out or raised.
        now, wait: the virtual clock, in seconds.
        name: the stack's.
    """

    LOGICAL_ID = "StreetsJob1A2B3C4D"

    def __init__(
        self,
        invoke: Callable[[dict[str, Any], int], bool],
        now: Callable[[], float],
        wait: Callable[[float], None],
        name: str = "Streets",
    ) -> None:
        self._invoke, self._now, self._wait = invoke, now, wait
        self.name = name
        self.status = ""
        self.resource: Resource | None = None
        self.retained: set[str] = set()
        self.dropped: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.last_reason = ""
        self.reasons: list[str] = []
        self.given_up = 0
        self.provider_framework = False
        self._answers: dict[str, dict[str, Any]] = {}
        self._pending: dict[str, float] = {}
        self._generation = 0
        self._over = False
        self._operation: tuple[str, Resource | None, dict[str, Any] | None] = ("", None, None)
        self._rollback: Callable[[], bool] | None = None

    @property
    def stack_id(self) -> str:
        return f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{self.name}/{self._generation:08d}"

    def describe(self, action: str, form: Mapping[str, str]) -> str | None:
        """Answer DescribeStacks and DescribeStackResource."""
        now = form["StackName"] == self.stack_id
        if action == "DescribeStacks":
            # An earlier stack of the name: its id goes on to be known.
            status = self.status if now else "DELETE_COMPLETE"
            stack = f"<StackName>{self.name}</StackName><StackStatus>{status}</StackStatus>"
            return f"<Stacks><member>{stack}</member></Stacks>"
        if self.resource is None or not now:
            return None
        ids = f"<PhysicalResourceId>{self.resource.physical_id}</PhysicalResourceId>"
        return f"<StackResourceDetail>{ids}</StackResourceDetail>"

    def take_answer(self, body: dict[str, Any]) -> None:
        """The handler's PUT; only the first one to a request that still waits counts."""
        self.reasons.append(body.get("Reason", ""))
        if self._pending.pop(body["RequestId"], None) is not None:
            self._answers[body["RequestId"]] = body

    def deploy(
        self,
        properties: dict[str, Any] | None,
        *,
        other_fails: bool = False,
        back: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bool:
        """Create or update the stack.

        Args:
            properties: the job's; None for a stack without one.
            other_fails: another resource fails, once the job is there.
            back: a rollback sends a replaced resource an Update first.
            meanwhile: what happens between the job's answer and the other resource's.
        """
        if self.status in ("", "DELETE_COMPLETE", "ROLLBACK_COMPLETE"):
            self._generation += 1
            self.status = "CREATE_IN_PROGRESS"
        else:
            self.status = "UPDATE_IN_PROGRESS"
        self._over = False
        had = copy.deepcopy(self.resource)
        kind = self.status.partition("_")[0]
        self._operation = (kind, had, properties)
        made = self._forward(had, properties)
        if self._over:
            return False
        meanwhile()
        if made is None or other_fails:
            self._roll_back(kind, had, properties, made, back)
            return False
        self._clean_up(had, properties, made)
        return True

    def destroy(self) -> bool:
        self._operation = ("", None, None)
        self.status = "DELETE_IN_PROGRESS"
        return self._delete_last("DELETE")

    def continue_rollback(self) -> bool:
        """What the user does after UPDATE_ROLLBACK_FAILED."""
        assert self._rollback is not None
        self.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        return self._rollback()

    def cancel(self) -> None:
        """Another resource fails while the labeling job's request is still worked on."""
        kind, had, properties = self._operation
        if self._over or not self.status.endswith("_IN_PROGRESS") or "ROLLBACK" in self.status or not kind:
            return
        if "CLEANUP" in self.status or properties is None:
            return
        self._over = True
        self._pending.clear()
        if had is None:
            self.resource = Resource(self._made_up(), properties)
            self._roll_back(kind, None, properties, self.resource.physical_id, False)
        else:
            self._roll_back(kind, had, properties, None, False)

    def again(self, event: dict[str, Any]) -> None:
        """The Lambda service delivers an event once more than it has to."""
        self._invoke(event, self.events.index(event))

    def _forward(self, had: Resource | None, properties: dict[str, Any] | None) -> str | None:
        """The physical id after the forward part; None if the resource failed."""
        if properties is None:
            return had.physical_id if had else ""
        if had is None:
            answer = self._request("Create", properties)
            if self._over:
                return None
            made_up = self._made_up()
            self.resource = Resource(answer["PhysicalResourceId"] if answer else made_up, properties)
            return self.resource.physical_id if _succeeded(answer) else None
        if had.properties == properties:
            return had.physical_id
        answer = self._request("Update", properties, had.physical_id, had.properties)
        if self._over or not _succeeded(answer):
            return None
        self.resource = Resource(answer["PhysicalResourceId"], properties)
        return self.resource.physical_id

    def _clean_up(self, had: Resource | None, properties: dict[str, Any] | None, made: str) -> None:
        kind = self.status.partition("_")[0]
        if had and (properties is None or had.physical_id != made):
            self.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            self._delete_patiently(had)
            if properties is None:
                self.resource = None
        self.status = f"{kind}_COMPLETE"

    def _roll_back(
        self,
        kind: str,
        had: Resource | None,
        properties: dict[str, Any] | None,
        made: str | None,
        back: bool,
    ) -> None:
        if kind == "CREATE":
            self.status = "ROLLBACK_IN_PROGRESS"
            self._delete_last("ROLLBACK")
            return
        self.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        if had is None:
            self._clean_up_rollback(self.resource)
            self.resource = None
            self.status = "UPDATE_ROLLBACK_COMPLETE"
        elif properties is None or properties == had.properties:
            self.status = "UPDATE_ROLLBACK_COMPLETE"
        else:
            replaced = Resource(made, properties) if made not in (None, had.physical_id) else None
            self._rollback = lambda: self._update_back(had, properties, replaced, back)
            self._rollback()

    def _update_back(
        self, had: Resource, properties: dict[str, Any], replaced: Resource | None, back: bool
    ) -> bool:
        current = replaced or had
        self.resource = had
        if replaced is None or back:
            answer = self._request("Update", had.properties, current.physical_id, properties)
            if not _succeeded(answer):
                self.status = "UPDATE_ROLLBACK_FAILED"
                return False
            # The Update of a rollback may replace as any other does.
            self.resource = Resource(answer["PhysicalResourceId"], had.properties)
        if current.physical_id != self.resource.physical_id:
            self._clean_up_rollback(current)
        self.status = "UPDATE_ROLLBACK_COMPLETE"
        return True

    def _clean_up_rollback(self, resource: Resource | None) -> None:
        self.status = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
        if resource:
            self._delete_patiently(resource)

    def _delete_patiently(self, resource: Resource) -> None:
        for _ in range(_CLEANUP_TRIES):
            if _succeeded(self._delete(resource)):
                return
        # The stack goes on without it; its events name it.
        self.given_up += 1

    def _delete_last(self, kind: str) -> bool:
        if self.resource and not _succeeded(self._delete(self.resource)):
            self.status = f"{kind}_FAILED"
            return False
        self.resource = None
        self.status = f"{kind}_COMPLETE"
        return True

    def _delete(self, resource: Resource) -> dict[str, Any] | None:
        policy = resource.properties.get("RemovalPolicy")
        if policy == "Retain" and "ROLLBACK" not in self.status:
            self.retained.add(resource.physical_id)
        return self._request("Delete", resource.properties, resource.physical_id)

    def _request(
        self,
        kind: str,
        properties: dict[str, Any],
        physical_id: str | None = None,
        old: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Send one request and wait for its answer; None if the service timeout is over before it."""
        event: dict[str, Any] = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}/{len(self.events)}")),
            "StackId": self.stack_id,
            "LogicalResourceId": self.LOGICAL_ID,
            "ResourceType": "Custom::SemanticSegmentationLabelingJob",
            "ResponseURL": f"https://127.0.0.1/{len(self.events)}?X-Amz-Signature=secret",
            "ResourceProperties": copy.deepcopy(properties),
        }
        if physical_id is not None:
            event["PhysicalResourceId"] = physical_id
        if old is not None:
            event["OldResourceProperties"] = copy.deepcopy(old)
        index = len(self.events)
        self.events.append(event)
        issued = self._now()
        self._pending[event["RequestId"]] = issued
        if not self._deliver(event, index):
            self.dropped.append(event)
        answer = self._answers.get(event["RequestId"])
        late = self._now() - issued - SERVICE_TIMEOUT
        if answer is None and late < 0 and not self._over:
            self._wait(-late)
        elif late > 0 and not self._over:
            self.problems.append(f"{kind} was answered {late:.0f} s after the service timeout")
        self._pending.pop(event["RequestId"], None)
        self.last_reason = (answer or {}).get("Reason", "no answer")
        return answer

    def _deliver(self, event: dict[str, Any], index: int) -> bool:
        if self.provider_framework:
            return self._deliver_by_framework(event, index)
        for seconds in _RETRY_WAITS:
            self._wait(seconds)
            if self._invoke(event, index):
                return True
        return False

    def _deliver_by_framework(self, event: dict[str, Any], index: int) -> bool:
        """The CDK's Provider in between: it invokes once, answers for a handler that died, and keeps a Delete
        to itself that follows a failed create."""
        swallowed = event.get("PhysicalResourceId") == _MARKER
        if swallowed or not self._invoke(event, index):
            status = "SUCCESS" if swallowed else "FAILED"
            named = event.get("PhysicalResourceId", _MARKER)
            self.take_answer({**event, "Status": status, "PhysicalResourceId": named, "Reason": "framework"})
        answer = self._answers.get(event["RequestId"], {})
        if event["RequestType"] == "Create" and answer.get("Status") == "FAILED":
            answer["PhysicalResourceId"] = _MARKER
        return True

    def _made_up(self) -> str:
        return f"{self.name}-{self.LOGICAL_ID}-{len(self.events):012d}"


def _succeeded(answer: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    return answer is not None and answer["Status"] == "SUCCESS"
