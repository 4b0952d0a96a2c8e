"""What comes from outside (names, folders, prefixes, ARNs), as IAM reads it letter by letter.

In a policy `*` and `?` are wildcards and `${…}` is a variable, in a resource as in a condition. All
that goes into one of them passes through this module: a wildcard of a policy is one that this library wrote.
"""

from __future__ import annotations

import re
from typing import Final

from aws_cdk import Fn, Token
from aws_cdk import aws_kms as kms

from .validation import Checker, is_token

# IAM has a word for each (User Guide, "IAM policy elements: Variables and tags"). The dollar comes first: the
# words of the other two bring new ones.
_SPECIAL: Final = ("$", "*", "?")
# A policy document has no character above U+00FF (botocore's model of IAM, `policyDocumentType`).
_BEYOND: Final = re.compile(r"[^\x00-\xff]")
_LAST_OF_BASIC_PLANE: Final = "\uffff"
# `-<8 hex of stack and logical id>-<8 hex of the request>`, of the handler's `owned.job_name`.
_JOB_NAME_END: Final = 2 * f"-{8 * '?'}"
_WILD: Final = re.compile(r"[*?$\s]|[^\x00-\xff]")


def literal(text: str) -> str:
    """Text that stands for itself in a resource or in a condition of the String operators.

    A value that only CloudFormation knows is rewritten by CloudFormation. A character that a policy can't
    hold becomes `?`, which stands for any one character; one beyond the basic plane becomes `*`, as
    nothing says for how many characters IAM takes it.
    """
    if is_token(text):
        return _literal_at_deploy(text)
    escaped = "".join(f"${{{each}}}" if each in _SPECIAL else each for each in text)
    return _BEYOND.sub(lambda match: "?" if match[0] <= _LAST_OF_BASIC_PLANE else "*", escaped)


def objects(bucket_arn: str, prefix: str = "") -> str:
    """The ARN of all objects of a bucket whose keys begin with a prefix."""
    return f"{bucket_arn}/{literal(prefix)}*"


def outputs(output_prefix: str, job_name_prefix: str) -> str:
    """Where all jobs of one construct write, as the folder's pattern; no other construct's jobs are in it.

    The end of a job's name has a fixed length, so `streets` doesn't reach what `streets-night` wrote.
    """
    folder = f"{literal(output_prefix)}/" if output_prefix else ""
    return f"{folder}{literal(job_name_prefix)}{_JOB_NAME_END}/"


def check_name(check: Checker, argument: str, *values: str) -> None:
    """Refuse a name or an ARN that IAM would take for a pattern.

    Raises:
        ValueError: names the character.
    """
    for value in values:
        found = _WILD.search(value) if isinstance(value, str) and not is_token(value) else None
        if found is not None:
            must = f"name one resource, without {found[0]!r}, which makes a pattern of it in policies"
            check.fail(argument, must, value)


def check_key(check: Checker, argument: str, key: kms.IKey | None) -> None:
    """Refuse a key on which the CDK gives nobody a permission, or whose ARN is a pattern.

    Raises:
        ValueError: names the key.
    """
    if key is None:
        return
    if not isinstance(key, kms.Alias) and key.key_id.startswith("alias/"):
        check.fail(
            argument,
            "be a key that permissions can name",
            key.key_id,
            "kms.Alias.from_alias_name knows the alias alone, and grants nothing; use kms.Key.from_lookup or"
            " kms.Key.from_key_arn",
        )
    check_name(check, argument, key.key_arn)


def _literal_at_deploy(text: str) -> str:
    for special in _SPECIAL:
        text = Fn.join(f"${{{special}}}", Fn.split(special, text))
    # Fn::Select hides the text from cdk-nag, which takes the second argument of any Fn::Join for a list.
    return Token.as_string({"Fn::Select": [0, [text]]})
