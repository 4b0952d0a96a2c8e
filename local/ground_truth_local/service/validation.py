"""Requests checked against the service model, which botocore's client does only in part.

The client checks types, required members, ranges and lengths; patterns and enums only the service does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..sources import Rule, assumed, holds, observed
from ..sources import model as in_model
from . import model
from .errors import ServiceError, validation

REQUEST = Rule(
    "request-shape",
    "Required members, lengths, ranges, enums and patterns hold, or it is a `ValidationException`.",
    in_model("CreateLabelingJobRequest: each operation's input shape"),
)
TYPES = Rule(
    "request-types",
    "A member of another JSON type is a `SerializationException`.",
    observed(
        "amazon-archives/amazon-cognito-identity-js#485: a boolean for a text, of Cognito, JSON 1.1, too"
    ),
)
UNKNOWN_MEMBERS = Rule(
    "request-unknown-members",
    "A null member counts as absent, and one that the model doesn't know is ignored.",
    assumed("as AWS's JSON 1.1 services do"),
)

_JAVA_NAMES = {
    "string": "String",
    "integer": "Integer",
    "long": "Long",
    "boolean": "Boolean",
    "list": "List",
    "map": "Map",
    "structure": "Structure",
    "timestamp": "Timestamp",
}
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
    "timestamp": (int, float, str),
}


def check_request(operation: str, body: dict[str, Any]) -> None:
    """Raise ``ValidationException`` (or ``SerializationException``) where the body breaks the model."""
    shape_name = model.operation_input(operation)
    if shape_name is None:
        return
    found = list(violations(shape_name, body))
    if found:
        noun = "error" if len(found) == 1 else "errors"
        raise validation(REQUEST, f"{len(found)} validation {noun} detected: " + "; ".join(found))


def violations(shape_name: str, value: object, path: str = "") -> Iterator[str]:
    """Yield each constraint of the shape that the value breaks, in the service's words."""
    shape = model.shape(shape_name)
    _check_type(shape["type"], value, path)
    yield from _own_constraints(shape, value, path)
    match shape["type"], value:
        case "structure", dict():
            yield from _members(shape, value, path)
        case "list", list():
            for index, item in enumerate(value, start=1):
                yield from violations(shape["member"]["shape"], item, f"{path}.{index}.member")


def _check_type(kind: str, value: object, path: str) -> None:
    expected = _PYTHON_TYPES.get(kind, (object,))
    is_misplaced_bool = isinstance(value, bool) and kind != "boolean"
    if isinstance(value, expected) and not is_misplaced_bool:
        return
    token = (
        "NUMBER_VALUE" if isinstance(value, int | float) and not isinstance(value, bool) else _token(value)
    )
    where = f" at '{path}'" if path else ""
    name = _JAVA_NAMES.get(kind, kind)
    raise ServiceError(TYPES, "SerializationException", f"{token} can not be converted to a {name}{where}")


def _token(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    tokens = {"str": "STRING_VALUE", "list": "START_ARRAY", "dict": "START_OBJECT"}
    return tokens.get(type(value).__name__, "NULL_VALUE")


@holds(UNKNOWN_MEMBERS)
def _members(shape: dict[str, Any], value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.get("required", ()):
        if value.get(name) is None:
            yield _violation(None, _join(path, name), "Member must not be null")
    for name, member in shape["members"].items():
        # A null member counts as absent; members that the model doesn't know are ignored, as by AWS.
        if value.get(name) is not None:
            yield from violations(member["shape"], value[name], _join(path, name))


def _own_constraints(shape: dict[str, Any], value: object, path: str) -> Iterator[str]:
    if isinstance(value, str) and "enum" in shape and value not in shape["enum"]:
        values = ", ".join(shape["enum"])
        yield _violation(value, path, f"Member must satisfy enum value set: [{values}]")
    if isinstance(value, str) and "pattern" in shape and not model.matches(shape["pattern"], value):
        pattern = shape["pattern"]
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    if isinstance(value, str | list):
        yield from _bounds(shape, len(value), value, path, "length")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(shape, value, value, path, "value")


def _bounds(shape: dict[str, Any], size: float, value: object, path: str, noun: str) -> Iterator[str]:
    if "min" in shape and size < shape["min"]:
        bound = shape["min"]
        yield _violation(value, path, f"Member must have {noun} greater than or equal to {bound}")
    if "max" in shape and size > shape["max"]:
        bound = shape["max"]
        yield _violation(value, path, f"Member must have {noun} less than or equal to {bound}")


def _violation(value: object, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{model.as_text(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, member: str) -> str:
    name = member[0].lower() + member[1:]
    return f"{path}.{name}" if path else name
