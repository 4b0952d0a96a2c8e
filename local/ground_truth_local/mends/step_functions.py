"""Step Functions: what a task asks for is asked by the state machine's role.

SageMaker's tasks (`aws-sdk:sagemaker:*` and `sagemaker:createLabelingJob(.sync)`) reach the service;
functions are invoked, and events put, only where the role may.

Source: Step Functions Developer Guide, "Using AWS SDK service integrations" (parameters in Pascal case, times
as ISO strings, errors named `Service.Exception`), "Create and manage Amazon SageMaker AI jobs" (`.sync`
waits for the job and gives its description) and "How Step Functions generates IAM policies for integrated
services". *Assumed*: that a job which doesn't complete fails a `.sync`
task with `States.TaskFailed` and its description as the cause, as other `.sync` integrations do.
"""

from __future__ import annotations

import contextvars
import datetime
import json
import re
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core import iam_evaluator, responses
from ministack.services import stepfunctions

from ..access import ServiceAccess
from ..service.types import AssumeRoleDenied
from . import executions

_PRINCIPAL = "states.amazonaws.com"
_SDK = "arn:aws:states:::aws-sdk:sagemaker:"
_OPTIMIZED = "arn:aws:states:::sagemaker:createLabelingJob"
_FUNCTION = "arn:aws:states:::lambda:invoke"
_EVENTS = "arn:aws:states:::events:putEvents"
_POLL_SECONDS = 0.25
_stock_invoke = stepfunctions._invoke_resource
_stock_task = stepfunctions._execute_task
_role: contextvars.ContextVar[str] = contextvars.ContextVar("state machine's role", default="")
_execution: contextvars.ContextVar[Any] = contextvars.ContextVar("execution", default=None)


def install(access: ServiceAccess) -> None:
    """Send SageMaker's tasks to the gateway, with the credentials of the state machine's role."""

    def task(state: dict[str, Any], raw_input: Any, execution: Any, context: Any) -> Any:
        machine = stepfunctions._state_machines.get((execution or {}).get("stateMachineArn", "")) or {}
        _role.set(machine.get("roleArn", ""))
        _execution.set(execution)
        executions.check_running(execution)
        return _stock_task(state, raw_input, execution, context)

    def invoke(resource: str, parameters: Any) -> Any:
        if resource.startswith(_SDK):
            return _call(access, resource.removeprefix(_SDK), parameters)
        if resource in (_OPTIMIZED, f"{_OPTIMIZED}.sync"):
            answer = _call(access, "createLabelingJob", parameters)
            return _finished(access, parameters) if resource.endswith(".sync") else answer
        if resource == _FUNCTION:
            _check_function(parameters.get("FunctionName", ""))
        elif resource == _EVENTS:
            for entry in parameters.get("Entries", []):
                _put(entry)
        return _stock_invoke(resource, parameters)

    executions.install()
    executions.current_execution = _execution.get
    stepfunctions._execute_task = task
    stepfunctions._invoke_resource = invoke


def _check_function(function: str) -> None:
    name = function.partition(":function:")[2] or function
    arn = f"arn:aws:lambda:{responses.get_region()}:{responses.get_account_id()}:function:{name}"
    _check("lambda:InvokeFunction", arn, "Lambda.AWSLambdaException")


def _put(entry: Any) -> None:
    bus = str(entry.get("EventBusName") or "default")
    if not bus.startswith("arn:"):
        bus = f"arn:aws:events:{responses.get_region()}:{responses.get_account_id()}:event-bus/{bus}"
    keys = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
    _check("events:PutEvents", bus, "EventBridge.EventBridgeException", keys)


def _check(action: str, resource: str, error: str, keys: dict[str, Any] | None = None) -> None:
    """Ask the role's policies.

    Raises:
        _ExecutionError: it may not.
    """
    role, account = _role.get(), responses.get_account_id()
    context = iam_evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        secure_transport=True,
        service_context=keys or {},
    )
    policies = iam_evaluator._gather_role_policies(role.rpartition("/")[2], account)
    if iam_evaluator.evaluate(context, policies).decision != "Allow":
        raise stepfunctions._ExecutionError(
            error, f"{role} is not authorized to perform: {action} on resource: {resource}"
        )


def _call(access: ServiceAccess, action: str, parameters: Any) -> Any:
    try:
        session = _session(access)
        client = session.client("sagemaker")
        method = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower(), None)
        if method is None:
            raise stepfunctions._ExecutionError("States.Runtime", f"SageMaker has no action {action}.")
        answer = method(**(parameters or {}))
    except AssumeRoleDenied as error:
        raise stepfunctions._ExecutionError("States.Runtime", str(error)) from error
    except ClientError as error:
        raise stepfunctions._ExecutionError(_error_name(client, error), str(error)) from error
    except BotoCoreError as error:
        # What the service model refuses before anything is sent.
        raise stepfunctions._ExecutionError("States.Runtime", str(error)) from error
    answer.pop("ResponseMetadata", None)
    return json.loads(json.dumps(answer, default=_plain))


def _session(access: ServiceAccess) -> Any:
    """Assume the machine's role; older CDKs write the service's principal with the Region in it.

    Source: Step Functions Developer Guide, "Creating an IAM role for your state machine": its trust may ask
    for `aws:SourceArn` and `aws:SourceAccount`, as the CDK's own roles do.
    """
    region, account = responses.get_region(), responses.get_account_id()
    machine = (_execution.get() or {}).get("stateMachineArn", "")
    try:
        return access.session_for_role(_role.get(), region, account, service=_PRINCIPAL, source_arn=machine)
    except AssumeRoleDenied:
        regional = f"states.{region}.amazonaws.com"
        return access.session_for_role(_role.get(), region, account, service=regional, source_arn=machine)


def _error_name(client: Any, error: ClientError) -> str:
    """The name of the SDK's exception: of the modelled shape, or the service's own for all others."""
    code = error.response["Error"]["Code"]
    if code not in {shape.error_code for shape in client.meta.service_model.error_shapes}:
        return "SageMaker.SageMakerException"
    return f"SageMaker.{code}" if code.endswith("Exception") else f"SageMaker.{code}Exception"


def _plain(value: Any) -> str:
    assert isinstance(value, datetime.datetime), "the only type of an answer that JSON lacks"
    return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


def _finished(access: ServiceAccess, parameters: dict[str, Any]) -> Any:
    execution = _execution.get() or {}
    while True:
        job = _call(access, "describeLabelingJob", {"LabelingJobName": parameters["LabelingJobName"]})
        status = job["LabelingJobStatus"]
        if status == "Completed":
            return job
        if status in ("Failed", "Stopped"):
            raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(job))
        if execution.get("status", "RUNNING") != "RUNNING":
            return job
        time.sleep(_POLL_SECONDS)
