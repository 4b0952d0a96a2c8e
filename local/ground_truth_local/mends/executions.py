"""Step Functions: a stopped execution does nothing more, a callback's request can fail, history tells of all.

MiniStack leaves an execution's threads at work when it was stopped, waits for ever for a callback whose
request failed, and keeps no history of what a Map's iterations do.
Of a task's events it leaves out what HistoryEvent always has.

Source: Step Functions Developer Guide, "Wait for a Callback with the Task Token" and "Handling errors in Step
Functions workflows" (a failed request fails its task); API reference, StopExecution and HistoryEvent (the
types of events). *Assumed*: the number of events of a task that waits for a token, which the guide shows for
one service only: scheduled, started, submitted, and how it ended.

Who answers a token needs the permission on its state machine, although the service authorization reference
has no resource for SendTaskSuccess: seen in NOAA-OWP/hydrovis#837 and tried in aws/aws-cdk#8486.
"""

from __future__ import annotations

import contextvars
import copy
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_region, now_iso
from ministack.services import stepfunctions

_LOOKS_EVERY = 0.25
_INTEGRATION = "arn:aws:states:::"
_FOREVER = 365 * 86_400
_stock_fail = stepfunctions._fail_execution
_stock_event = stepfunctions._add_event
_stock_parameters = stepfunctions._apply_parameters
_stock_arguments = stepfunctions._apply_jsonata_arguments
# What the task of this thread gives to what it asks.
_given: contextvars.ContextVar[Any] = contextvars.ContextVar("given", default=None)
# This has all tokens, also those that nobody waits for any more.
_machines: dict[str, str] = {}


class Stopped(Exception):
    """The execution was stopped: no retrier and no catcher of a task is asked."""


def install() -> None:
    """Put it right."""
    stepfunctions._run_sub_machine = _run_sub_machine
    stepfunctions._invoke_with_callback = _invoke_with_callback
    stepfunctions._fail_execution = _fail_execution
    stepfunctions._add_event = _add_event
    stepfunctions._apply_parameters = _noting(_stock_parameters)
    stepfunctions._apply_jsonata_arguments = _noting(_stock_arguments)
    stock = iam_actions.extract_resource_arn

    def resource_arn(service: str, method: str, path: str, *rest: Any, **options: Any) -> Any:
        found = stock(service, method, path, *rest, **options)
        if service != "states" or found != "*":
            return found
        bodies = (each for each in (*rest, *options.values()) if isinstance(each, bytes))
        return next((machine for body in bodies if (machine := _machine_of(body))), found)

    iam_actions.extract_resource_arn = resource_arn


def _machine_of(body: bytes) -> str:
    try:
        return _machines.get(json.loads(body).get("taskToken", ""), "")
    except (ValueError, AttributeError):
        return ""


def check_running(execution: Any) -> None:
    """Go no further in an execution that was stopped.

    Raises:
        Stopped: it was.
    """
    if (execution or {}).get("status", "RUNNING") != "RUNNING":
        raise Stopped


def _add_event(execution: Any, kind: str, details: Any = None) -> Any:
    # What a stopped execution's threads still have to say is no history of it.
    if execution.get("status", "RUNNING") == "ABORTED" and kind != "ExecutionAborted":
        return {}
    place, about = _of_task(details or {})
    if kind == "TaskScheduled":
        about |= {"region": get_region(), "parameters": json.dumps(_given.get())}
    event = _stock_event(execution, kind, {place: about} if place else details)
    if kind == "TaskScheduled":
        started = {name: about[name] for name in ("resourceType", "resource")}
        _stock_event(execution, "TaskStarted", {"taskStartedEventDetails": started})
    return event


def _of_task(details: Any) -> tuple[str, dict[str, Any]]:
    """What an event says of a task, with the service and its action in place of the task's resource."""
    for place, about in details.items():
        if "resource" in about and place.startswith("task"):
            resource = str(about["resource"])
            kind, action = "lambda", resource
            if resource.startswith(_INTEGRATION):
                kind, _, action = resource.removeprefix(_INTEGRATION).rpartition(":")
            return place, {**about, "resourceType": kind, "resource": action}
    return "", {}


def _noting(stock: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*state: Any, **options: Any) -> Any:
        found = stock(*state, **options)
        _given.set(found)
        return found

    return apply


def _fail_execution(execution: Any, error: str, cause: str) -> None:
    if execution["status"] == "RUNNING":
        _stock_fail(execution, error, cause)


def _run_sub_machine(states: Any, start_at: str, given: Any, execution: Any, ctx: Any) -> Any:
    """One branch, or one iteration of a Map."""
    index = ctx.get("Map", {}).get("Item", {}).get("Index")
    if index is None:
        return _walk(states, start_at, given, execution, ctx)
    check_running(execution)
    about = {"index": index}
    _add_event(execution, "MapIterationStarted", {"mapIterationStartedEventDetails": about})
    try:
        output = _walk(states, start_at, given, execution, ctx)
    except stepfunctions._ExecutionError:
        _add_event(execution, "MapIterationFailed", {"mapIterationFailedEventDetails": about})
        raise
    _add_event(execution, "MapIterationSucceeded", {"mapIterationSucceededEventDetails": about})
    return output


def _walk(states: Any, start_at: str, given: Any, execution: Any, ctx: Any) -> Any:
    name: str | None = start_at
    current = copy.deepcopy(given)
    while name:
        check_running(execution)
        state = states.get(name)
        if not state:
            raise stepfunctions._ExecutionError("States.Runtime", f"State '{name}' not found")
        kind = state.get("Type")
        ctx["State"] = {"Name": name, "EnteredTime": now_iso(), "RetryCount": 0}
        entered = {"name": name, "input": json.dumps(current)}
        _add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
        if kind == "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, current, ctx))
        before, (current, name) = name, _step(kind, state, current, execution, ctx)
        left = {"name": before, "output": json.dumps(current)}
        _add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": left})
    return current


def _step(kind: str, state: Any, current: Any, execution: Any, ctx: Any) -> tuple[Any, str | None]:
    if kind == "Succeed":
        effective = stepfunctions._apply_input_path(state, current, ctx)
        return stepfunctions._apply_output_path(state, effective, ctx), None
    of_execution = {"Task": "_execute_task", "Parallel": "_execute_parallel", "Map": "_execute_map"}
    alone = {"Pass": "_execute_pass", "Choice": "_execute_choice", "Wait": "_execute_wait"}
    if kind in of_execution:
        result: tuple[Any, str | None] = getattr(stepfunctions, of_execution[kind])(
            state, current, execution, ctx
        )
        return result
    if kind in alone:
        result = getattr(stepfunctions, alone[kind])(state, current, ctx)
        return result
    raise stepfunctions._ExecutionError("States.Runtime", f"Unknown state type: {kind}")


#: The execution whose task runs in this thread; set by `step_functions`.
current_execution: Callable[[], Any] = lambda: None  # noqa: E731


def _invoke_with_callback(resource: str, given: Any, token: str, state: Any) -> Any:
    """Make the request, then wait for whoever has the token."""
    execution = current_execution()
    event = threading.Event()
    waiting = {"event": event, "result": None, "error": None, "heartbeat": None}
    stepfunctions._task_tokens[token] = waiting
    _machines[token] = (execution or {}).get("stateMachineArn", "")
    try:
        stepfunctions._invoke_resource(resource.replace(".waitForTaskToken", ""), given)
        if execution is not None:
            _add_event(execution, "TaskSubmitted", {"taskSubmittedEventDetails": {"resource": resource}})
        _await(event, execution, float(state.get("TimeoutSeconds", _FOREVER)))
    finally:
        stepfunctions._task_tokens.pop(token, None)
    error = waiting["error"]
    if isinstance(error, dict):
        raise stepfunctions._ExecutionError(error.get("Error", "TaskFailed"), error.get("Cause", ""))
    result = waiting["result"]
    try:
        return json.loads(result) if isinstance(result, str) else result
    except ValueError:
        return result


def _await(event: threading.Event, execution: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not event.wait(min(_LOOKS_EVERY, max(0.0, until - time.monotonic()))):
        check_running(execution)
        if time.monotonic() >= until:
            raise stepfunctions._ExecutionError("States.Timeout", "Task timed out waiting for callback")
