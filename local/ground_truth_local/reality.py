"""What a real account does and a laptop doesn't: each option, its flag of `serve`, and who knows it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .account import ASSET_KEYS
from .sources import Rule, assumed, guide, observed, reference


@dataclass(frozen=True)
class Option:
    """One option of `EmbeddedAws`, by its argument's name.

    Attributes:
        rule: what it shows, and who says so.
        flag: of `serve`.
        settings: for `argparse`.
    """

    rule: Rule
    flag: str
    settings: Mapping[str, Any]


def _rule(name: str, says: str, source: Any) -> Rule:
    return Rule(f"option-{name}", says, source)


def _every(what: str) -> dict[str, Any]:
    return {"type": int, "default": 0, "metavar": "N", "help": f"each N-th {what}"}


def _seconds(what: str) -> dict[str, Any]:
    return {"type": float, "default": 0.0, "metavar": "SECONDS", "help": what}


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"it is KEY=VALUE, got {text!r}")
    return key, value


OPTIONS: dict[str, Option] = {
    "black_holes": Option(
        _rule(
            "black-holes",
            "A Lambda in a network without a way to a service gets no answer from it, until it gives up.",
            reference("Lambda Developer Guide: giving functions access to resources in a VPC"),
        ),
        "--black-hole",
        {
            "dest": "black_holes",
            "action": "append",
            "default": [],
            "metavar": "SERVICE",
            "help": "Lambdas get no answer from this service, e.g. iam; may be repeated",
        },
    ),
    "throttle_every": Option(
        _rule(
            "throttles",
            "Requests that come too fast are refused: S3's 503 `SlowDown`, others' throttling errors.",
            reference("S3 Developer Guide: request rate; API references: common errors"),
        ),
        "--throttle-every",
        _every("request is throttled"),
    ),
    "break_every": Option(
        _rule(
            "broken-bodies",
            "An answer's body can break off, and SDKs don't try that again.",
            observed("boto/botocore#2764"),
        ),
        "--break-every",
        _every("object that is read breaks off"),
    ),
    "short_every": Option(
        _rule(
            "short-bodies",
            "A body can come short with a `Content-Length` that agrees with what came.",
            assumed("a proxy that cuts a body off and counts what is left; S3 itself isn't known to do so"),
        ),
        "--short-every",
        _every("object that is read comes without its second half"),
    ),
    "bare_403_every": Option(
        _rule(
            "bare-403",
            "A refusal can come without code and words: of S3 to a HEAD, of a proxy to anything.",
            reference("S3 API Reference: HeadObject, a refusal is a generic 403 without a body"),
        ),
        "--bare-403-every",
        _every("request of a Lambda's to S3 is a 403 without a body"),
    ),
    "source_account": Option(
        _rule(
            "no-source-account",
            "A service may assume a role without `aws:SourceAccount`.",
            guide(
                "sms-security-permission-execution-role: its trust policy has no condition; the confused "
                "deputy page doesn't list labeling jobs"
            ),
        ),
        "--no-source-account",
        {
            "dest": "source_account",
            "action": "store_false",
            "help": "services that assume a role don't send aws:SourceAccount",
        },
    ),
    "iam_spread_seconds": Option(
        _rule(
            "late-iam",
            "A new role, its trust and its policies don't work at once.",
            reference("IAM User Guide, troubleshoot: changes that I make are not always immediately visible"),
        ),
        "--iam-spread-seconds",
        _seconds("what is new in a role doesn't work for so long"),
    ),
    "s3_spread_seconds": Option(
        _rule(
            "late-configuration",
            "A bucket's CORS, policy and notifications can be seen as before for a while.",
            reference(
                "S3 User Guide, data consistency model: bucket configurations are eventually consistent"
            ),
        ),
        "--s3-spread-seconds",
        _seconds("a bucket's configuration is seen as before for so long"),
    ),
    "asset_bucket_key": Option(
        _rule(
            "asset-bucket-key",
            "`cdk bootstrap` encrypts its bucket with `aws:kms`: under AWS's managed key, a key of its own, "
            "or an existing one, whose use must be granted.",
            observed("aws/aws-cdk-cli, bootstrap-template.yaml: FileAssetsBucketKmsKeyId"),
        ),
        "--asset-bucket-key",
        {"choices": ASSET_KEYS, "default": "", "help": "what encrypts the CDK's bucket of assets"},
    ),
    "set_up_seconds": Option(
        _rule(
            "late-failure",
            "A job is in progress for minutes before mistakes in its input fail it.",
            observed(
                "amazon-sagemaker-examples#1945; aws-controllers-k8s/sagemaker-controller test_labelingjob.py"
            ),
        ),
        "--set-up-seconds",
        _seconds("a job is in progress for so long before what is wrong with its input fails it"),
    ),
    "foreign_tags": Option(
        _rule(
            "foreign-tags",
            "Other tools put tags on a job: auto-tagging, cost allocation.",
            observed("cloud-custodian/cloud-custodian#5800: auto-tag and mark-for-op on labeling jobs"),
        ),
        "--foreign-tag",
        {
            "dest": "foreign_tags",
            "action": "append",
            "type": _pair,
            "default": [],
            "metavar": "KEY=VALUE",
            "help": "another tool puts this tag on each job; may be repeated",
        },
    ),
}
"""All of them, in the order of `serve --help`."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flag of each option."""
    group = parser.add_argument_group("what a real account does and a laptop doesn't")
    for option in OPTIONS.values():
        group.add_argument(option.flag, **option.settings)


def chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments for `EmbeddedAws`."""
    found = {name: getattr(arguments, name) for name in OPTIONS}
    return {**found, "foreign_tags": dict(found["foreign_tags"])}
