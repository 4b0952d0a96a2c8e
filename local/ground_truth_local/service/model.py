"""Botocore's SageMaker service model: the one source of shapes, constraints and built-in function ARNs."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, cast

import botocore.loaders
import regex  # type: ignore[import-untyped]

_PATTERN_TIMEOUT_SECONDS = 2.0


@cache
def _model() -> dict[str, Any]:
    return cast("dict[str, Any]", botocore.loaders.Loader().load_service_model("sagemaker", "service-2"))


def shape(name: str) -> dict[str, Any]:
    """Return a shape of the model, with its constraints."""
    return cast("dict[str, Any]", _model()["shapes"][name])


def operation_input(operation: str) -> str | None:
    """Return the name of the operation's input shape, ``None`` for an operation without one."""
    return cast("str | None", _model()["operations"][operation].get("input", {}).get("shape"))


def documentation(shape_name: str, member: str) -> str:
    """Return the documentation string of a structure's member."""
    return cast(str, shape(shape_name)["members"][member].get("documentation", ""))


@cache
def _compiled(pattern: str) -> Any:
    # The patterns are Java's: `regex` knows \p{L}, the standard library doesn't. JSON carries \uD7FF as text.
    return regex.compile(pattern)


def matches(pattern: str, value: str) -> bool:
    """Tell whether the whole value matches a pattern of the model, as Java's ``Matcher.matches`` would."""
    try:
        return _compiled(pattern).fullmatch(value, timeout=_PATTERN_TIMEOUT_SECONDS) is not None
    except TimeoutError:
        return False


def as_text(value: object) -> str:
    """Show a value as an error message does."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + ", ".join(as_text(item) for item in value) + "]"
    return json.dumps(value)
