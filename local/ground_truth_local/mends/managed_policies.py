"""AWS's managed policies: MiniStack lacks those that the guide names, and attaches what doesn't exist.

Source: AWS Managed Policy Reference Guide; IAM API Reference, `AttachRolePolicy` (`NoSuchEntity`).
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from ministack.services import iam

_PREFIX = "arn:aws:iam::aws:policy/"
_ATTACHING = ("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy")
_stock_attach = iam.attach_managed_policy


def install() -> None:
    """Publish the policies, and refuse to attach others than those that exist."""
    text = resources.files("ground_truth_local").joinpath("managed_policies.json").read_text()
    for name, policy in json.loads(text)["policies"].items():
        document = json.dumps({"Version": "2012-10-17", "Statement": policy["statements"]})
        iam._aws_managed_policies[_PREFIX + name] = iam._make_aws_managed_record(name, document)
    if iam.attach_managed_policy is _attach:
        return
    iam.attach_managed_policy = _attach
    for action in _ATTACHING:
        iam._IAM_HANDLERS[action] = _checked(iam._IAM_HANDLERS[action])


def _missing(policy_arn: str) -> str:
    """Say that a policy doesn't exist or isn't attachable, "" if it is."""
    if iam._policy_exists(policy_arn):
        return ""
    return f"Policy {policy_arn} does not exist or is not attachable."


def _attach(entity: dict[str, Any], policy_arn: str) -> None:
    """Attach for CloudFormation, whose resource then fails with IAM's words."""
    reason = _missing(policy_arn)
    if reason:
        raise ValueError(f"{reason} (Service: Iam, Status Code: 404)")
    _stock_attach(entity, policy_arn)


def _checked(stock: Any) -> Any:
    def attach(parameters: dict[str, Any]) -> Any:
        reason = _missing(iam._p(parameters, "PolicyArn"))
        return iam._error(404, "NoSuchEntity", reason, ns="iam") if reason else stock(parameters)

    return attach
