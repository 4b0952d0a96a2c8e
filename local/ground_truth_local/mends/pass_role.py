"""``iam:PassRole``: MiniStack takes any role from any caller; AWS asks whether the caller may pass it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router

# Action → the service that gets the role, and the parameter that names it.
_PASSING = {
    "cloudformation:CreateChangeSet": ("cloudformation.amazonaws.com", "RoleARN"),
    "cloudformation:CreateStack": ("cloudformation.amazonaws.com", "RoleARN"),
    "cloudformation:DeleteStack": ("cloudformation.amazonaws.com", "RoleARN"),
    "cloudformation:UpdateStack": ("cloudformation.amazonaws.com", "RoleARN"),
    "events:PutRule": ("events.amazonaws.com", "RoleArn"),
    "lambda:CreateFunction": ("lambda.amazonaws.com", "Role"),
    "lambda:UpdateFunctionConfiguration": ("lambda.amazonaws.com", "Role"),
    "states:CreateStateMachine": ("states.amazonaws.com", "roleArn"),
    "states:UpdateStateMachine": ("states.amazonaws.com", "roleArn"),
}
_stock = app._dispatch_service_request


def install() -> None:
    """Check the passed role before MiniStack checks and answers the request."""
    app._dispatch_service_request = _dispatch


async def _dispatch(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
) -> Any:
    parameters = app._routing_params(method, path, headers, body, query)
    service = router.detect_service(method, path, headers, parameters)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
    role_arn, principal = _passed_role(action, body, parameters)
    if role_arn:
        iam_evaluator.pin_request_caller(headers, query)
        denied = iam_evaluator.enforce(
            router.extract_access_key_id(headers, query),
            "iam:PassRole",
            service,
            responses.get_region(),
            resource_arn=role_arn,
            service_context={"iam:PassedToService": principal},
        )
        if isinstance(denied, iam_evaluator.AuthError):
            # Authentication happens once per request: what fails here must not reach the next check.
            return app._credential_failure(service, action, request_id, denied, headers)
        if denied:
            explicit = denied.decision == "Deny"
            message = iam_actions.identity_denial_message(
                "iam:PassRole", denied.principal_arn, role_arn, explicit
            )
            return iam_actions.access_denied_response(
                service, "iam:PassRole", denied.principal_arn, request_id, message=message, headers=headers
            )
    return await _stock(method, path, headers, body, query, request_id)


def _passed_role(action: str | None, body: bytes, parameters: Mapping[str, Any]) -> tuple[str, str]:
    principal, name = _PASSING.get(action or "", ("", ""))
    if not name:
        return "", ""
    value = parameters.get(name)
    if value is None:
        try:
            document = json.loads(body or b"{}")
        except ValueError:
            document = parse_qs(body.decode(errors="replace"))
        value = document.get(name) if isinstance(document, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    return (value, principal) if isinstance(value, str) else ("", "")
