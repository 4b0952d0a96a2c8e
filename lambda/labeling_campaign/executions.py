"""Step Functions as a campaign needs it: its executions, and those who wait for a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from labeling_job import log
from labeling_job.errors import code_of, message_of, part_of
from labeling_job.patience import Patience

# The token's task has ended, or was tried again with another token.
_NOBODY_WAITS = ("InvalidToken", "TaskDoesNotExist", "TaskTimedOut")


class Executions:
    """Executions behind a boto3 Step Functions client; what passes is waited out."""

    def __init__(self, states: Any, patience: Patience) -> None:
        self._states = states
        self._insist = patience.insist

    def is_running(self, execution: str) -> bool:
        """Whether it runs; one that Step Functions has forgotten doesn't."""
        try:
            found = self._insist(
                lambda: part_of(self._states.describe_execution(executionArn=execution), "status")
            )
        except ClientError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return False
            raise
        return bool(found == "RUNNING")

    def running(self, machine: str) -> list[str]:
        """The ARNs of those that run."""
        found = []
        query = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
        while True:
            page = self._insist(lambda: _with(self._states.list_executions(**query), "executions"))
            found += [str(each["executionArn"]) for each in page["executions"]]
            if not page.get("nextToken"):
                return found
            query["nextToken"] = page["nextToken"]

    def start(self, machine: str, name: str) -> None:
        """Start one; a name that was used is one that was started."""
        try:
            self._insist(lambda: self._states.start_execution(stateMachineArn=machine, name=name, input="{}"))
            log.action("StartExecution", execution=name)
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise

    def stop(self, execution: str, cause: str) -> None:
        """Stop one; one that has ended is stopped."""
        try:
            self._insist(lambda: self._states.stop_execution(executionArn=execution, cause=cause))
            log.action("StopExecution", execution=execution, cause=cause)
        except ClientError as error:
            if code_of(error) not in ("ExecutionDoesNotExist", "ValidationException"):
                raise

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Tell who waits; whether anybody does."""
        try:
            self._insist(lambda: self._states.send_task_success(taskToken=token, output=json.dumps(output)))
            return True
        except ClientError as error:
            if code_of(error) not in _NOBODY_WAITS:
                raise
            log.action("NobodyWaits", error=message_of(error))
            return False


def _with(answer: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    part_of(answer, part)
    return answer
