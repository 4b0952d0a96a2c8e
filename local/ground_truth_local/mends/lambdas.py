"""Lambda: the role must trust the service, the handler knows its own log group, an error keeps its class.

Source: Lambda Developer Guide, "Defining a function's permissions with an execution role", "Using environment
variables", and "Handling errors in Python" (`errorType` is the exception's class, which retriers and catchers
of Step Functions go by).
"""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime, responses
from ministack.services import iam, lambda_svc
from ministack.services.cloudformation import provisioners

from ..access import trust_allows_service

_TYPE = "AWS::Lambda::Function"
# It stands between an exception's class and its message on the way from a worker's process; no message has
# it.
_OF_CLASS = chr(31)
_STOCK_ERROR = '"error": str(e), "trace"'
_NAMED_ERROR = '"error": type(e).__name__ + chr(31) + str(e), "trace"'


def install() -> None:
    """Check the role at creation, and complete the worker's environment."""
    handler = provisioners._RESOURCE_HANDLERS[_TYPE]
    stock_create = handler["create"]
    stock_credentials = lambda_runtime.execution_credentials

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _check_role(props.get("Role", ""))
        return stock_create(logical_id, props, stack_name)

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        return {
            **stock_credentials(config),
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            # AWS sets this too; SDKs put it into their user agent.
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
            # What shows on AWS minutes after a labeling job's start shows here at once, and a handler that
            # watches for it is told so.
            "CDK_GROUND_TRUTH_WATCH_SECONDS": "2",
        }

    handler["create"] = create
    lambda_runtime.execution_credentials = credentials
    _name_errors()


def _name_errors() -> None:
    script, stock = lambda_runtime._PYTHON_WORKER_SCRIPT, lambda_svc._execute_function_warm
    if _STOCK_ERROR not in script:
        return
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(_STOCK_ERROR, _NAMED_ERROR)

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = stock(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            kind, found, message = str(body.get("errorMessage", "")).partition(_OF_CLASS)
            if found:
                result["body"] = {**body, "errorType": kind, "errorMessage": message}
        return result

    lambda_svc._execute_function_warm = execute


def _check_role(role_arn: str) -> None:
    role = iam._roles.get(role_arn.rpartition("/")[2])
    if role is None or not trust_allows_service(
        role["AssumeRolePolicyDocument"],
        "lambda.amazonaws.com",
        account=responses.get_account_id(),
        region=responses.get_region(),
        role_arn=role_arn,
    ):
        raise ValueError(
            "The role defined for the function cannot be assumed by Lambda. "
            "(Service: Lambda, Status Code: 400)"
        )
