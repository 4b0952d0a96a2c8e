"""Lambda: the role must trust the service, and the handler must know its own log group."""

from __future__ import annotations

from typing import Any

from ministack.core import lambda_runtime, responses
from ministack.services import iam
from ministack.services.cloudformation import provisioners

from ..access import trust_allows_service

_TYPE = "AWS::Lambda::Function"


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
            # Also on AWS; SDKs put it into their user agent.
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
            # What shows on AWS minutes after a labeling job's start shows here at once, and a handler that
            # watches for it is told so.
            "CDK_GROUND_TRUTH_WATCH_SECONDS": "2",
        }

    handler["create"] = create
    lambda_runtime.execution_credentials = credentials


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
