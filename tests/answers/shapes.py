"""What is wrong with an answer, by botocore's model of it: a client reads it, or stumbles over it.

botocore itself reads more than other SDKs do, so times are held to the form that the protocol has.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, create_parser
from botocore.utils import parse_timestamp

from .operations import Operation

_IN_JSON = ("json", "rest-json")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_OF_HEADERS = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_KINDS: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "structure": dict,
    "map": dict,
    "list": list,
    "blob": str,
}
# CloudFormation's events have the stack's own status among those of its resources, also these two, which the
# model's list lacks: "View stack event history" in its guide.
_MORE = {
    "cloudformation.ResourceStatus": {"REVIEW_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"}
}


def faults_of(operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """All faults, each with its place in the answer."""
    found: list[str] = []
    shape = operation.model.output_shape
    streams = operation.model.has_streaming_output and status < 300
    answer = {
        "status_code": status,
        "headers": HeadersDict(headers),
        "body": io.BytesIO(body) if streams else body,
    }
    try:
        parsed = _parser(operation.protocol, found).parse(answer, shape)
    except (ResponseParserError, ValueError, TypeError) as error:
        return [*found, f"it can't be read: {type(error).__name__}: {error}"]
    if status >= 300:
        return found + _faults_of_error(operation, status, parsed, body)
    if shape is not None:
        found += _members(parsed, shape, operation.model.service_model.service_name)
        if operation.protocol in _IN_JSON and body and "payload" not in shape.serialization:
            found += _json(json.loads(body), shape)
    return found


def _faults_of_error(operation: Operation, status: int, parsed: Any, body: bytes) -> list[str]:
    error = parsed.get("Error", {})
    # A 304 is no error; a HEAD's answer has no body, nor has a bare refusal. botocore takes the status for a
    # code where there is none.
    if status < 400 or not body or (error.get("Code") not in (None, "", str(status)) and "Message" in error):
        return []
    return [f"an error without code or message: {body[:200]!r}"]


def _parser(protocol: str, found: list[str]) -> Any:
    def time(value: Any) -> Any:
        if isinstance(value, str):
            in_header = _OF_HEADERS.fullmatch(value)
            if protocol in _IN_JSON and not in_header:
                found.append(f"the time {value!r} is no number")
            elif not in_header and not _RFC_3339.fullmatch(value):
                found.append(f"the time {value!r} has another form")
        return parse_timestamp(value)

    parser = create_parser(protocol)
    parser._timestamp_parser = time
    if protocol in ("query", "rest-xml"):
        parser._handle_boolean = _true_or_false(parser._handle_boolean, found)
    return parser


def _true_or_false(stock: Callable[..., Any], found: list[str]) -> Callable[..., Any]:
    def handle(shape: Any, node: Any) -> Any:
        text = getattr(node, "text", node)
        if text not in ("true", "false"):
            found.append(f"the boolean is {text!r}")
        return stock(shape, node)

    return handle


def _members(value: Any, shape: Any, service: str, place: str = "") -> Iterator[str]:
    """What is missing, and what is none of the values that the model lists."""
    if shape.type_name == "structure":
        yield from (f"{place}.{name} is missing" for name in shape.required_members if name not in value)
        for name in shape.members.keys() & value.keys():
            yield from _members(value[name], shape.members[name], service, f"{place}.{name}")
    elif shape.type_name == "list":
        for each in value:
            yield from _members(each, shape.member, service, f"{place}[]")
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from _members(key, shape.key, service, f"{place}{{}}")
            yield from _members(each, shape.value, service, f"{place}{{}}")
    elif shape.type_name == "string" and shape.enum:
        known = {*shape.enum, *_MORE.get(f"{service}.{shape.name}", ())}
        if value not in known:
            yield f"{place} is {value!r}, no {shape.name}"


def _json(value: Any, shape: Any, place: str = "") -> Iterator[str]:
    """What has another type in JSON, and what the model doesn't know."""
    kind = _KINDS.get(shape.type_name, object)
    # To Python a boolean is a number.
    if value is None or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f"{place} is {value!r:.80}, no {shape.type_name}"
    elif shape.type_name == "structure":
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, each in value.items():
            if name in members:
                yield from _json(each, members[name], f"{place}.{name}")
            else:
                yield f"{place}.{name} is unknown"
    elif shape.type_name == "list":
        for each in value:
            yield from _json(each, shape.member, f"{place}[]")
    elif shape.type_name == "map":
        for each in value.values():
            yield from _json(each, shape.value, f"{place}{{}}")
