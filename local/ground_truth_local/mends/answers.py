"""Answers in JSON: AWS leaves out what it has no value for, and says no more than its models have.

MiniStack writes null in some services, an empty text for Lambda's codes of reasons, and who made a rule into
the list of rules. An SDK that is stricter than botocore takes these for errors.

Source: Smithy's "AWS JSON 1.1 protocol" (a structure's member without a value is not written); Lambda API
reference, FunctionConfiguration; EventBridge API reference, Rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cognito, eventbridge, lambda_svc, stepfunctions

_REASONS = frozenset(
    {"StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"}
)


def install() -> None:
    """Leave it out, in the services that we saw write it."""
    for service in (cognito, stepfunctions):
        _change(service, lambda data: _without(data, lambda _, value: value is None))
    _change(lambda_svc, lambda data: _without(data, lambda name, value: value == "" and name in _REASONS))
    _change(eventbridge, _with_rules_of_a_list)


def _change(service: Any, change: Callable[[Any], Any]) -> None:
    stock = service.json_response
    service.json_response = lambda data, *status, **options: stock(change(data), *status, **options)


def _without(value: Any, is_left_out: Callable[[str, Any], bool]) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, is_left_out) for key, each in value.items() if not is_left_out(key, each)}
    return [_without(each, is_left_out) for each in value] if isinstance(value, list) else value


def _with_rules_of_a_list(data: Any) -> Any:
    if not isinstance(data, dict) or "Rules" not in data:
        return data
    return {**data, "Rules": [_without(rule, lambda name, _: name == "CreatedBy") for rule in data["Rules"]]}
