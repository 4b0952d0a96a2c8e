"""Liquid with bounds: a template is somebody's file, and must not hang or fill the server.

The engine bounds loops, nesting, variables and output. What one filter may make of what it is given, and how
long all takes, it doesn't: that is bounded here.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator, Sized
from types import FrameType
from typing import Any

from liquid import Environment
from liquid.exceptions import LiquidError

MAX_CHARACTERS = 1_000_000
MAX_ELEMENTS = 10_000
MAX_BITS = 4_096
MAX_SECONDS = 2.0
"""Of a core, for one page."""


class _Over(BaseException):
    """The time is over. No `Exception`, which the engine would take for one of its own making."""


class BoundedEnvironment(Environment):
    """An environment in which each filter is held to the bounds."""

    loop_iteration_limit = 100_000
    output_stream_limit = 10 * 1024 * 1024
    local_namespace_limit = 10 * 1024 * 1024
    context_depth_limit = 30

    def __init__(self, **filters: Callable[..., Any]) -> None:
        """Make an environment.

        Args:
            filters: besides Liquid's own, by their names.
        """
        super().__init__(autoescape=True)
        for name, own in {**self.filters, **filters}.items():
            self.filters[name] = _bounded(name, own)


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """End what runs in this thread when it has taken its time.

    Each call of a Python function looks at the clock: no engine of templates goes far without one, and what
    is compiled is short on what is allowed.

    Raises:
        LiquidError: it has.
    """
    until = time.thread_time() + MAX_SECONDS

    def look(frame: FrameType, event: str, argument: object) -> None:
        if time.thread_time() > until:
            raise _Over

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    except _Over:
        raise LiquidError(f"it takes more than {MAX_SECONDS:g} seconds of a core", token=None) from None
    finally:
        sys.settrace(before)


def _bounded(name: str, own: Callable[..., Any]) -> Callable[..., Any]:
    # The engine reads what a filter wants to be given from the function's attributes, which stay.
    @functools.wraps(own)
    def bounded(*values: Any, **options: Any) -> Any:
        if any(map(_is_large, values)) or (name == "replace" and _grows(*values)):
            raise LiquidError(
                f"the filter {name} is given too much: at most {MAX_CHARACTERS:,} characters, "
                f"{MAX_ELEMENTS:,} elements or numbers of {MAX_BITS:,} bits are allowed",
                token=None,
            )
        return own(*values, **options)

    return bounded


def _is_large(value: object) -> bool:
    if isinstance(value, str):
        return len(value) > MAX_CHARACTERS
    if isinstance(value, int):
        return value.bit_length() > MAX_BITS
    return isinstance(value, Sized) and len(value) > MAX_ELEMENTS


def _grows(text: object = "", old: object = "", new: object = "", *_: object) -> bool:
    """Tell whether a replacement makes more characters than a filter may be given."""
    text, old, new = str(text), str(old), str(new)
    return text.count(old) * len(new) > MAX_CHARACTERS
