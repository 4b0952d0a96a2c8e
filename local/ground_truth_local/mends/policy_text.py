"""Policies: `${*}`, `${?}` and `${$}` are the characters themselves; MiniStack knows no variables.

IAM User Guide, "IAM policy elements: Variables and tags": they stand wherever variables can, in resources and
in conditions of the String and ARN operators. A variable that depends on the request isn't resolved here and
matches nothing, as on AWS where the request has no such key.
"""

from __future__ import annotations

import functools
import re

from ministack.core import iam_evaluator

_TOKEN = re.compile(r"\$\{(?P<itself>[*?$])\}|(?P<any>\*)|(?P<one>\?)|(?P<rest>.)", re.DOTALL)


def install() -> None:
    """Replace the case-sensitive match of resources, `StringLike` and the ARN operators."""
    iam_evaluator.fnmatch_iam_cs = _matches


def _matches(value: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@functools.lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(map(_expression, _TOKEN.finditer(pattern))), re.DOTALL)


def _expression(token: re.Match[str]) -> str:
    if token["any"]:
        return ".*"
    return "." if token["one"] else re.escape(token["itself"] or token["rest"])
