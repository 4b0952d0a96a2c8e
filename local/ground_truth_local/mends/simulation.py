"""``iam:SimulatePrincipalPolicy``: on AWS its resource is the principal; to MiniStack it is ``*``."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

_stock = iam_actions.extract_resource_arn


def install() -> None:
    """Let a policy that names one role allow the simulation of that role."""
    iam_actions.extract_resource_arn = _resource_arn


def _resource_arn(service: str, method: str, path: str, *rest: Any, **options: Any) -> Any:
    resource = _stock(service, method, path, *rest, **options)
    if service != "iam" or resource != "*":
        return resource
    for parameters in (*rest, *options.values()):
        if isinstance(parameters, dict) and "PolicySourceArn" in parameters:
            value = parameters["PolicySourceArn"]
            return value[0] if isinstance(value, list) else value
    return resource
