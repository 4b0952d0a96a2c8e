"""The extreme points that a worker clicks, as the page sends them."""

from __future__ import annotations

from typing import Any

_POINTS = 4


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


def _is_point(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(part) in (int, float) and abs(part) < 1e6 for part in value)
    )
