"""A campaign's state machine, in the Amazon States Language.

A map over jobs, never over images. A job's end comes by a task token, so that a job of 30 days costs the
history as many events as one of a minute.
"""

from __future__ import annotations

from typing import Any, Final

from ._rooms import campaign

_INVOKE: Final = "arn:{partition}:states:::lambda:invoke"
_PUT_EVENTS: Final = "arn:{partition}:states:::events:putEvents"
_DAY: Final = 86_400
#: Longer than the function may take.
_STEP_SECONDS: Final = 960

#: What is tried again. An error that the function calls final is not; an account that has no room is asked
#: for as long as a run may last.
_FINAL: Final = {"ErrorEquals": ["DeployError"], "MaxAttempts": 0}
_FULL: Final = {
    "ErrorEquals": ["AccountFullError"],
    "IntervalSeconds": 60,
    "BackoffRate": 2,
    "MaxDelaySeconds": 3_600,
    "MaxAttempts": 10_000,
    "JitterStrategy": "FULL",
}
_AGAIN: Final = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 10,
    "BackoffRate": 2,
    "MaxDelaySeconds": 600,
    "MaxAttempts": 8,
    "JitterStrategy": "FULL",
}
# It ends nobody's work that nobody could be told of it.
_UNTOLD: Final[dict[str, Any]] = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.untold"}


def states(*, function_arn: str, partition: str, jobs_at_once: int) -> dict[str, Any]:
    """The definition."""
    invoke, put_events = (text.format(partition=partition) for text in (_INVOKE, _PUT_EVENTS))

    def step(name: str, result: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": invoke,
            "Parameters": _call(function_arn, name),
            "ResultSelector": result,
            "TimeoutSeconds": _STEP_SECONDS,
            "Retry": [_FINAL, _AGAIN],
            **more,
        }

    def event(kind: str, detail: dict[str, Any], **more: Any) -> dict[str, Any]:
        entry = {
            "Source": campaign.EVENT_SOURCE,
            "DetailType": kind,
            "Resources.$": "States.Array($$.StateMachine.Id)",
            "Detail": {"run.$": "$$.Execution.Name", **detail},
        }
        return {
            "Type": "Task",
            "Resource": put_events,
            "Parameters": {"Entries": [entry]},
            "Retry": [_AGAIN],
            "ResultPath": "$.told",
            **more,
        }

    # Names of the function's own answer, whatever it has.
    gathered = ("labels", "newLabels", "unlabeled", "bought", "datasetManifest", "unlabeledImages")
    return {
        "Comment": "Labels what has no label yet, in jobs of bounded size, few at a time",
        "StartAt": "Plan",
        "States": {
            "Plan": step(
                "plan",
                {f"{name}.$": f"$.Payload.{name}" for name in ("jobs", "count", "images", "why")},
                Next="AnythingToDo",
            ),
            "AnythingToDo": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.count", "NumericEquals": 0, "Next": "NothingToDo"}],
                "Default": "Jobs",
            },
            "NothingToDo": {"Type": "Succeed"},
            "Jobs": {
                "Type": "Map",
                "ItemsPath": "$.jobs",
                "ItemSelector": {"job.$": "$$.Map.Item.Value"},
                "MaxConcurrency": jobs_at_once,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Job",
                    "States": _of_a_job(invoke, event, function_arn),
                },
                "ResultPath": "$.done",
                # What the jobs that are there have labeled is gathered, whatever became of the map.
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Gather"}],
                "Next": "Gather",
            },
            "Gather": step("gather", {f"{name}.$": f"$.Payload.{name}" for name in gathered}, Next="TellRun"),
            "TellRun": event(
                campaign.EVENT_RUN,
                {f"{name}.$": f"$.{name}" for name in gathered},
                Catch=[{**_UNTOLD, "Next": "Done"}],
                Next="Done",
            ),
            "Done": {"Type": "Succeed"},
        },
    }


def _call(function_arn: str, step: str, **more: str) -> dict[str, Any]:
    payload = {"step": step, "run.$": "$$.Execution.Name", "execution.$": "$$.Execution.Id", **more}
    return {"FunctionName": function_arn, "Payload": payload}


def _of_a_job(invoke: str, event: Any, function_arn: str) -> dict[str, Any]:
    """Make a job and wait for its end; whatever becomes of it is no failure of the run."""
    more = {"job.$": "$.job", "token.$": "$$.Task.Token"}
    return {
        "Job": {
            "Type": "Task",
            "Resource": f"{invoke}.waitForTaskToken",
            "Parameters": _call(function_arn, "create", **more),
            # A job has ended by then; one whose end nobody told is looked after once an hour.
            "TimeoutSeconds": campaign.JOB_DAYS_MAX * _DAY,
            "Retry": [_FINAL, _FULL, {"ErrorEquals": ["States.Timeout"], "MaxAttempts": 0}, _AGAIN],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "NotMade"}],
            "Next": "Ended",
        },
        "NotMade": {
            "Type": "Pass",
            "Parameters": {
                "job.$": "States.Format('{}', $.job)",
                "status": "NotMade",
                "reason.$": "$.error.Cause",
            },
            "Next": "TellJob",
        },
        "Ended": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.status", "StringEquals": "Completed", "Next": "JobDone"}],
            "Default": "TellJob",
        },
        "TellJob": event(
            campaign.EVENT_JOB,
            {"job.$": "$.job", "status.$": "$.status", "reason.$": "$.reason"},
            Catch=[{**_UNTOLD, "Next": "JobDone"}],
            Next="JobDone",
        ),
        # Where jobs are thousands, a state's output has no room for more.
        "JobDone": {"Type": "Pass", "Result": {}, "End": True},
    }
