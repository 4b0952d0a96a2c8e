"""The extreme points that a worker clicks, as the page sends them."""

from __future__ import annotations

from typing import Any, NamedTuple

_POINTS = 4
_MOST_HINTS = 200


class Hint(NamedTuple):
    """A click that says whether a place belongs to the object."""

    x: float
    y: float
    inside: bool


class AutoSegmentError(Exception):
    """The points don't make sense for the picture; the text is for the worker."""


def parse_points(content: Any) -> list[tuple[float, float]]:
    """Read ``[[x, y], …]`` of a request.

    Raises:
        AutoSegmentError: it isn't four points of finite numbers.
    """
    if not isinstance(content, list) or len(content) != _POINTS or not all(map(_is_point, content)):
        raise AutoSegmentError(f"Give {_POINTS} points as [[x, y], ...].")
    return [(float(x), float(y)) for x, y in content]


def parse_hints(content: Any) -> list[Hint]:
    """Read `[[x, y, 1 or 0], …]` of a request; nothing is no hints.

    Raises:
        AutoSegmentError: it isn't that.
    """
    if content is None:
        return []
    if not isinstance(content, list) or len(content) > _MOST_HINTS or not all(map(_is_hint, content)):
        raise AutoSegmentError(f"Give up to {_MOST_HINTS} hints as [[x, y, 1 or 0], ...].")
    return [Hint(float(x), float(y), bool(inside)) for x, y, inside in content]


def _is_hint(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and _is_point(value[:2]) and value[2] in (0, 1)


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(part) in (int, float) and abs(part) < 1e6 for part in value)
    )
