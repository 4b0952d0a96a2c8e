"""Acknowledgements of cdk-nag findings, with ids computed from what the template really holds."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

_PACK = "AwsSolutions"


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledge ``rule id → reason`` on a construct."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"{_PACK}::{rule}", reason=reason) for rule, reason in reasons.items())
    )


def wildcard_rule(resolved_arn: object) -> str:
    """The id under which cdk-nag reports a resource with a wildcard."""
    return f"{_PACK}-IAM5[Resource::{_flatten(resolved_arn)}]"


def _flatten(node: object) -> str:
    """A reference in cdk-nag's notation: ``{"Ref": "A"}`` is ``<A>``."""
    if isinstance(node, str):
        return node.replace("${", "<").replace("}", ">")
    if isinstance(node, Mapping):
        for intrinsic, value in node.items():
            if intrinsic == "Fn::Join":
                separator, items = value
                return str(separator).join(map(_flatten, items))
            if intrinsic == "Fn::GetAtt":
                return f"<{'.'.join(map(_flatten, value))}>"
            if intrinsic == "Ref":
                return f"<{_flatten(value)}>"
            if intrinsic in ("Fn::Sub", "Fn::ImportValue"):
                return _flatten(value)
    return str(node)
