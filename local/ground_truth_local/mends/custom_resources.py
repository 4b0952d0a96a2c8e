"""Custom resources: MiniStack invokes the Lambda once and waits for it, and forgets a create that failed.

AWS invokes asynchronously, so the Lambda service runs a crashed handler twice more with the same event; it
refuses responses over 4,096 bytes; on rollback it sends a Delete with the physical id of the failed create.
A function that failed all three times never answers any more. CloudFormation waits out `ServiceTimeout` (an
hour) all the same; here the resource fails at once, with what the function failed of.

Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation";
CloudFormation User Guide, "Custom resources" (response limits, `ServiceTimeout`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_region, new_uuid, now_iso
from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource, handlers, stacks


@dataclass
class _Attempts:
    """What the Lambda service has tried of one event.

    Attributes:
        arrived: set when the response is there, or will never be.
        errors: what the attempts failed of.
    """

    arrived: Event
    errors: list[str] = field(default_factory=list)


_RESPONSE_LIMIT = 4096
_DEFAULT_TIMEOUT = 3600
_stock_execute = lambda_svc._execute_function
_stock_deliver = custom_resource.deliver_response
_stock_roll_back = stacks._roll_back_operation
# (stack's id, logical id) of a failed create → what its Delete needs.
_failed: dict[tuple[str, str], dict[str, Any]] = {}
_ATTEMPTS = 3
# Request id of an event that is under way → its attempts.
_attempts: dict[str, _Attempts] = {}


def install() -> None:
    """Replace invocation, response check and rollback."""
    lambda_svc._execute_function = _execute
    custom_resource.invoke_custom_resource = _invoke
    custom_resource.deliver_response = _deliver
    for module in (stacks, handlers):
        if hasattr(module, "_roll_back_operation"):
            module._roll_back_operation = _roll_back


def give_up() -> None:
    """Wait for no response any more: the server is going down."""
    for attempts in list(_attempts.values()):
        attempts.arrived.set()


def _deliver(token: str, response: dict[str, Any]) -> bool:
    if len(json.dumps(response, separators=(",", ":")).encode()) > _RESPONSE_LIMIT:
        response = {**response, "Status": "FAILED", "Reason": "Response object is too long.", "Data": {}}
    delivered: bool = _stock_deliver(token, response)
    return delivered


def _execute(function: dict[str, Any], event: Any) -> Any:
    """Run a function as MiniStack does, and note what an event of ours failed of."""
    result = _stock_execute(function, event)
    attempts = _attempts.get(event.get("RequestId", "")) if isinstance(event, dict) else None
    error = _error_of(result) if attempts is not None else ""
    if attempts is not None and error:
        result = {**result, "error": True}
        attempts.errors.append(error)
        if len(attempts.errors) == _ATTEMPTS:
            attempts.arrived.set()
    return result


def _error_of(result: Any) -> str:
    """Say what an execution failed of, "" if it didn't."""
    body = result.get("body") if isinstance(result, dict) else None
    if isinstance(body, dict) and str(body.get("body", "")).startswith("Mock response"):
        # MiniStack's answer for a function that has no code here; nothing ran.
        return str(body["body"])
    if not (isinstance(result, dict) and result.get("error")):
        return ""
    return str(body.get("errorMessage") or body) if isinstance(body, dict) else str(body)


def _invoke(
    request_type: str,
    logical_id: str,
    props: dict[str, Any],
    stack_name: str,
    stack_id: str,
    resource_type: str,
    physical_id: str | None = None,
    old_props: dict[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Invoke the handler and wait for its response, as ``invoke_custom_resource`` does, but as AWS would."""
    function = _function(props.get("ServiceToken", ""))
    token, request_id = new_uuid(), new_uuid()
    event = {
        "RequestType": request_type,
        "RequestId": request_id,
        "StackId": stack_id,
        "ResponseURL": custom_resource._response_url(token),
        "ResourceType": resource_type,
        "LogicalResourceId": logical_id,
        "ResourceProperties": custom_resource._normalise_resource_properties(props),
    }
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    if old_props is not None:
        event["OldResourceProperties"] = custom_resource._normalise_resource_properties(old_props)
    arrived = custom_resource.register_token(token)
    attempts = _attempts[request_id] = _Attempts(arrived)
    lambda_svc.invoke_async_with_retry(function, event)
    seconds = _timeout(props)
    arrived.wait(timeout=seconds)
    del _attempts[request_id]
    with custom_resource._lock:
        response = (custom_resource._pending.pop(token, None) or {}).get("result")
    if response is not None and response.get("Status") != "FAILED":
        return response.get("PhysicalResourceId") or physical_id or request_id, response.get("Data") or {}
    if request_type == "Create":
        # Without a response AWS makes an id up, too.
        made_up = f"{stack_name}-{logical_id}-{new_uuid()[:8].upper()}"
        _failed[stack_id, logical_id] = {
            "PhysicalResourceId": (response or {}).get("PhysicalResourceId") or made_up,
            "ResourceType": resource_type,
            "ResourceStatus": "CREATE_FAILED",
            "LogicalResourceId": logical_id,
            "Properties": props,
            "Attributes": {},
            # Without it the answers that tell of the resource are no valid ones.
            "Timestamp": now_iso(),
        }
    if response is None:
        raise TimeoutError(
            f"CloudFormation did not receive a response from your Custom Resource within {seconds} s. "
            f"Please check your logs for requestId [{request_id}].{_told(attempts)}"
        )
    raise RuntimeError(
        f"Received response status [FAILED] from custom resource. Message returned: "
        f"{response.get('Reason', 'no reason given')} (RequestId: {request_id})"
    )


def _told(attempts: _Attempts) -> str:
    if not attempts.errors:
        return ""
    return f" Its function failed {len(attempts.errors)} times, at last with: {attempts.errors[-1]}"


async def _roll_back(
    stack_name: str,
    stack_id: str,
    stack: dict[str, Any],
    operation: dict[str, Any],
    *args: Any,
    **kwargs: Any,
) -> None:
    logical_id = operation.get("failed_logical_id") or ""
    record = _failed.pop((stack_id, logical_id), None)
    if record is not None and operation.get("failed_update") is None:
        stack.setdefault("_resources", {})[logical_id] = record
        operation["created"] = [*operation.get("created", []), logical_id]
    await _stock_roll_back(stack_name, stack_id, stack, operation, *args, **kwargs)


def _function(service_token: str) -> dict[str, Any]:
    try:
        arn = parse_arn(service_token)
    except ArnParseError:
        arn = None
    if arn is not None and arn.service == "lambda" and arn.region != get_region():
        raise ValueError(f"ServiceToken {service_token!r} must be in the stack's Region, {get_region()}.")
    record, config, _ = lambda_svc._get_func_record_for_ref(service_token)
    if record is None or config is None:
        raise ValueError(f"ServiceToken {service_token!r} names no Lambda function.")
    function: dict[str, Any] = lambda_svc._execution_record_for_config(record, config)
    return function


def _timeout(props: dict[str, Any]) -> int:
    try:
        return int(props.get("ServiceTimeout", _DEFAULT_TIMEOUT))
    except (TypeError, ValueError):
        return _DEFAULT_TIMEOUT
