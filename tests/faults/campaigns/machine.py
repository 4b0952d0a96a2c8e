"""Step Functions, EventBridge and the hours, as far as a campaign meets them; time is virtual.

The state machine is the construct's own definition, interpreted: tasks that invoke a function, with or
without a token, events, maps, choices, `Retry` and `Catch`. An asynchronous invocation is tried three times,
as Lambda's guide says ("Error handling and automatic retries"), and then lost.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

Steps = Generator[float | None, None, Any]
#: A step that waits for something else than the time looks again after so many seconds.
_LOOK_AGAIN = 60.0
_ASYNCHRONOUS = (0, 60, 120)


class StateError(Exception):
    """A state's error, by the name that `Retry` and `Catch` go by."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(cause)
        self.name = name


@dataclass
class Execution:
    """One run."""

    arn: str
    name: str
    status: str = "RUNNING"
    cause: str = ""
    output: Any = None
    #: Tokens of tasks that wait, and what was sent to them.
    tokens: dict[str, dict[str, Any] | None] = field(default_factory=dict)


class Machine:
    """One state machine and what else invokes the campaign's function.

    Args:
        definition: in the Amazon States Language.
        arn: the machine's.
        call: invokes the function with an event; its result, or its error.
        now, wait: the virtual clock, in seconds.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        arn: str,
        call: Callable[[dict[str, Any]], Any],
        now: Callable[[], float],
        wait: Callable[[float], None],
    ) -> None:
        self._definition, self.arn = definition, arn
        self._call, self._now, self._wait = call, now, wait
        self.executions: dict[str, Execution] = {}
        self.told: list[dict[str, Any]] = []
        self._numbers = itertools.count()
        #: What goes on, and when it wants to go on.
        self._going: list[tuple[float, int, Steps]] = []
        #: Events whose delivery isn't over.
        self.under_way = 0

    def start(self, name: str) -> Execution:
        """Begin a run; a name that was used is the run that it named."""
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
        if arn not in self.executions:
            self.executions[arn] = Execution(arn, name)
            self._go(self._execution(self.executions[arn]))
        return self.executions[arn]

    def stop(self, arn: str, cause: str) -> None:
        """End a run, whatever it waits for."""
        self._end(self.executions[arn], "ABORTED", cause)

    def running(self) -> list[Execution]:
        """The runs that go on."""
        return [each for each in self.executions.values() if each.status == "RUNNING"]

    def succeed(self, token: str, output: Any) -> str:
        """SendTaskSuccess: the error's code, or nothing."""
        for each in self.running():
            if token in each.tokens:
                if each.tokens[token] is not None:
                    return "TaskTimedOut"
                each.tokens[token] = output
                return ""
        return "TaskTimedOut"

    def deliver(self, event: dict[str, Any]) -> None:
        """EventBridge invokes the function, which Lambda tries again twice."""
        self.under_way += 1

        def delivered() -> Steps:
            try:
                for seconds in _ASYNCHRONOUS:
                    yield float(seconds)
                    if self._went_well(event):
                        break
            finally:
                self.under_way -= 1

        self._go(delivered())

    def every(self, seconds: float, event: Callable[[], dict[str, Any]]) -> None:
        """A rule with a schedule."""

        def ticks() -> Steps:
            while True:
                yield seconds
                self.deliver(event())

        self._go(ticks())

    def step(self) -> None:
        """Let time pass until somebody goes on, and let them."""
        self._going.sort(key=lambda each: each[:2])
        due, _, steps = self._going.pop(0)
        self._wait(max(0.0, min(due - self._now(), _LOOK_AGAIN)))
        if self._now() < due:
            self._going.append((due, next(self._numbers), steps))
            return
        try:
            pause = next(steps)
        except StopIteration:
            return
        self._going.append(
            (self._now() + (_LOOK_AGAIN if pause is None else pause), next(self._numbers), steps)
        )

    def _go(self, steps: Steps) -> None:
        self._going.append((self._now(), next(self._numbers), steps))

    def _went_well(self, event: dict[str, Any]) -> bool:
        try:
            self._call(event)
            return True
        except BaseException as error:
            if isinstance(error, AssertionError | KeyboardInterrupt):
                raise
            return False

    def _execution(self, run: Execution) -> Steps:
        try:
            output = yield from self._states(run, self._definition, {}, {})
            self._end(run, "SUCCEEDED", "", output)
        except StateError as error:
            self._end(run, "FAILED", str(error))

    def _end(self, run: Execution, status: str, cause: str, output: Any = None) -> None:
        if run.status != "RUNNING":
            return
        run.status, run.cause, run.output = status, cause, output
        if status != "SUCCEEDED":
            detail = {"executionArn": run.arn, "stateMachineArn": self.arn, "status": status}
            self.deliver({"source": "aws.states", "detail": detail})

    def _states(self, run: Execution, part: Mapping[str, Any], data: Any, item: dict[str, Any]) -> Steps:
        name = part["StartAt"]
        while True:
            state = part["States"][name]
            data, name = yield from self._caught(run, state, data, item)
            if name is None:
                return data

    def _caught(self, run: Execution, state: Mapping[str, Any], data: Any, item: dict[str, Any]) -> Steps:
        tries: dict[int, int] = {}
        while True:
            _still_running(run)
            try:
                return (yield from self._state(run, state, data, item))
            except StateError as error:
                if run.status != "RUNNING":
                    raise
                pause = _pause(state, error, tries)
                if pause is not None:
                    yield pause
                    continue
                for catcher in state.get("Catch", ()):
                    if _matches(catcher, error):
                        caught = {"Error": error.name, "Cause": str(error)}
                        return _put(data, catcher["ResultPath"], caught), catcher["Next"]
                raise

    def _state(self, run: Execution, state: Mapping[str, Any], data: Any, item: dict[str, Any]) -> Steps:
        following = None if state.get("End") else state.get("Next")
        match state["Type"]:
            case "Succeed":
                return data, None
            case "Choice":
                return data, next(
                    filter(None, (_chosen(rule, data) for rule in state["Choices"])), state["Default"]
                )
            case "Pass":
                given = state.get("Result", self._filled(run, state.get("Parameters", data), data, item))
                return given, following
            case "Map":
                result = yield from self._map(run, state, data)
                return _put(data, state["ResultPath"], result), following
            case "Task":
                result = yield from self._task(run, state, data, item)
                return _put(data, state.get("ResultPath", "$"), result), following
        raise AssertionError(state["Type"])

    def _map(self, run: Execution, state: Mapping[str, Any], data: Any) -> Steps:
        waiting = list(enumerate(_at(state["ItemsPath"], data)))
        results: dict[int, Any] = {}
        errors: list[StateError] = []
        at_once = [0]

        def iteration(number: int, value: Any) -> Steps:
            item = {"Map": {"Item": {"Value": value, "Index": number}}}
            try:
                given = self._filled(run, state["ItemSelector"], data, item)
                results[number] = yield from self._states(run, state["ItemProcessor"], given, item)
            except StateError as error:
                errors.append(error)
            finally:
                at_once[0] -= 1

        while waiting or at_once[0]:
            _still_running(run)
            while waiting and at_once[0] < state["MaxConcurrency"] and not errors:
                at_once[0] += 1
                self._go(iteration(*waiting.pop(0)))
            if errors:
                raise errors[0]
            yield None
        return [results[number] for number in sorted(results)]

    def _task(self, run: Execution, state: Mapping[str, Any], data: Any, item: dict[str, Any]) -> Steps:
        yield 0.0
        if state["Resource"].endswith(":events:putEvents"):
            self.told += self._filled(run, state["Parameters"]["Entries"], data, item)
            return {}
        if not state["Resource"].endswith(".waitForTaskToken"):
            payload = self._filled(run, state["Parameters"]["Payload"], data, item)
            answer = {"Payload": self._invoked(payload)}
            return self._filled(run, state["ResultSelector"], answer, item)
        token = f"token-{next(self._numbers)}"
        run.tokens[token] = None
        try:
            payload = {**item, "Task": {"Token": token}}
            self._invoked(self._filled(run, state["Parameters"]["Payload"], data, payload))
            until = self._now() + state["TimeoutSeconds"]
            while run.tokens[token] is None:
                _still_running(run)
                if self._now() > until:
                    raise StateError("States.Timeout", "timed out")
                yield None
            return run.tokens[token]
        finally:
            del run.tokens[token]

    def _invoked(self, payload: dict[str, Any]) -> Any:
        try:
            # As it goes over the wire.
            return json.loads(json.dumps(self._call(payload)))
        except Exception as error:
            if isinstance(error, AssertionError):
                raise
            raise StateError(type(error).__name__, str(error)) from error
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise StateError("Lambda.Unknown", "the function ended without an answer") from error

    def _filled(self, run: Execution, template: Any, data: Any, item: Mapping[str, Any]) -> Any:
        """A template of `Parameters`: what ends in `.$` is looked up."""
        about = {
            "Execution": {"Id": run.arn, "Name": run.name},
            "StateMachine": {"Id": self.arn},
            **item,
        }
        if isinstance(template, list):
            return [self._filled(run, each, data, item) for each in template]
        if not isinstance(template, dict):
            return template
        return {
            key.removesuffix(".$"): _looked_up(value, data, about)
            if key.endswith(".$")
            else self._filled(run, value, data, item)
            for key, value in template.items()
        }


def _still_running(run: Execution) -> None:
    if run.status != "RUNNING":
        raise StateError("States.Aborted", "the run was stopped")


def _pause(state: Mapping[str, Any], error: StateError, tries: dict[int, int]) -> float | None:
    """How long to wait before the state is tried again; None where it isn't."""
    for number, rule in enumerate(state.get("Retry", ())):
        if not _matches(rule, error):
            continue
        tried = tries.get(number, 0)
        if tried >= rule["MaxAttempts"]:
            return None
        tries[number] = tried + 1
        # The fewest tries that it may have in an hour: without jitter each pause is the longest.
        return float(
            min(rule["IntervalSeconds"] * rule["BackoffRate"] ** min(tried, 30), rule["MaxDelaySeconds"])
        )
    return None


def _matches(rule: Mapping[str, Any], error: StateError) -> bool:
    return error.name in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]


def _chosen(rule: Mapping[str, Any], data: Any) -> str | None:
    value = _at(rule["Variable"], data)
    is_it = value == rule["NumericEquals"] if "NumericEquals" in rule else value == rule["StringEquals"]
    return str(rule["Next"]) if is_it else None


def _looked_up(text: str, data: Any, about: Mapping[str, Any]) -> Any:
    if text.startswith("States.Format('{}', "):
        return str(_looked_up(text.removeprefix("States.Format('{}', ")[:-1], data, about))
    if text.startswith("States.Array("):
        return [_looked_up(text.removeprefix("States.Array(")[:-1], data, about)]
    return _at(text[1:], about) if text.startswith("$$") else _at(text, data)


def _at(path: str, data: Any) -> Any:
    for name in path.split(".")[1:]:
        data = data[name]
    return data


def _put(data: Any, path: str, value: Any) -> Any:
    return value if path == "$" else {**data, path.removeprefix("$."): value}
