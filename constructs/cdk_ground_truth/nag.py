"""Acknowledgements of cdk-nag findings, with ids computed from what the template really holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

_PACK = "AwsSolutions"
# References between angle brackets, and the wildcards that this library writes: at the end, in the middle for
# the end of a job's name, and before the service's queues.
_PLAIN = re.compile(
    r"\*|(<[\w.:-]+>|[\w ./:@+=-])+(\*GroundTruth|(-\?{8}){2}/|\*/manifests/output/output\.manifest)?\*?"
)


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Acknowledge ``rule id → reason`` on a construct."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"{_PACK}::{rule}", reason=reason) for rule, reason in reasons.items())
    )


def wildcard_rules(wildcards: Iterable[tuple[object, str]]) -> dict[str, str]:
    """The ids under which cdk-nag reports resources with a wildcard, of ``resolved ARN, why it is bounded``.

    A resource that holds anything but what names and folders are usually made of is left out: with
    brackets, or with a special character of IAM's, an id could be read as another one, and such a folder is
    for the user to explain.
    """
    flat = ((_flatten(arn), why) for arn, why in wildcards)
    return {f"{_PACK}-IAM5[Resource::{arn}]": why for arn, why in flat if _PLAIN.fullmatch(arn)}


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
