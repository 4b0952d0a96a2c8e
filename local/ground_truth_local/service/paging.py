"""Sorting, filtering by time and paging, as the service's list operations do it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..sources import Rule, assumed, model
from .errors import validation

TIMESTAMP = Rule("timestamp", "A time is seconds since 1970 or ISO 8601.", model("Timestamp"))
NEXT_TOKEN = Rule(
    "next-token", "An invalid `NextToken` is refused.", assumed("its form is nobody's business")
)

_DEFAULT_PAGE = 10
T = TypeVar("T")


def epoch(value: float | str) -> float:
    """Return a request's timestamp, which JSON 1.1 carries as seconds, in seconds."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError as error:
            raise validation(TIMESTAMP, f"'{value}' is not a timestamp.") from error
    return float(value)


def in_time(body: dict[str, Any], field: str, value: float) -> bool:
    """Tell whether a time is within the request's ``<field>After`` and ``<field>Before``."""
    after, before = body.get(f"{field}After"), body.get(f"{field}Before")
    return (after is None or value > epoch(after)) and (before is None or value < epoch(before))


def sort(items: Sequence[T], key: Callable[[T], Any], *, order: str | None) -> list[T]:
    """Sort; equal ones keep the order they were made in, so that pages never overlap."""
    return sorted(items, key=key, reverse=order == "Descending")


def page(
    items: Sequence[T], body: dict[str, Any], *, default: int = _DEFAULT_PAGE
) -> tuple[list[T], dict[str, str]]:
    """Return a page of the items and, if there are more, ``{"NextToken": …}``."""
    start = _offset(body.get("NextToken"))
    size = int(body.get("MaxResults") or default)
    end = start + size
    more = {"NextToken": _token(end)} if end < len(items) else {}
    return list(items[start:end]), more


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        offset = json.loads(base64.urlsafe_b64decode(token))["offset"]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise validation(NEXT_TOKEN, "Invalid NextToken.") from error
    if not isinstance(offset, int) or offset < 0:
        raise validation(NEXT_TOKEN, "Invalid NextToken.")
    return offset
