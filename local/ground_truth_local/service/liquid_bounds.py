"""Liquid with bounds: a template is somebody's file, and must not hang or fill the server.

The library bounds loops and the output. What it doesn't bound is here: how much there is to parse, the time,
what one filter makes of its arguments, and what a template keeps in its variables.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Sized
from typing import Any

from liquid import BoundTemplate, Environment, RenderContext
from liquid.exceptions import LiquidError, ResourceLimitError

#: Tags and outputs in a template; the parser makes one or two thousand a second of the slowest.
MOST_TAGS = 10_000
#: Characters of one tag: the parser's time grows with the square of it.
LONGEST_TAG = 5_000
#: Characters of all tags together.
ALL_TAGS = 500_000
#: Seconds of this thread's processor for one page.
SECONDS = 5.0
#: Characters of a text that a filter takes or gives.
LONGEST_TEXT = 1_000_000
#: Entries of a list that a filter takes or gives; `uniq` compares each with each.
LONGEST_LIST = 2_000
_WHOLE_NUMBER = 10**30
# What is between these is no Liquid; the parser looks for their ends from each beginning anew.
_VERBATIM = re.compile(r"\{%-?\s*(raw|doc)\s*-?%\}")
_ENDS = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("raw", "doc")}
_OPENS = re.compile(r"\{[{%]")
# The parser's time grows with the cube of a run of blanks.
_BLANKS = re.compile(r"\s{200}")
# A width of strftime's is how many characters a date becomes.
_WIDE_DATE = re.compile(r"%[^a-zA-Z%]*\d{3}")


class _Context(RenderContext):
    """Asks for the time before each node: the library looks here whether a node's tag is allowed."""

    @property
    def disabled_tags(self) -> list[str]:
        """Tags that may not be used where the template is now."""
        assert isinstance(self.env, BoundedEnvironment), "the only one that makes such contexts"
        self.env.hurry()
        return self._disabled

    @disabled_tags.setter
    def disabled_tags(self, tags: list[str]) -> None:
        self._disabled = tags


class _Template(BoundTemplate):
    context_class = _Context


class BoundedEnvironment(Environment):
    """One page's environment; its time begins when it is made.

    Args:
        filters: further filters, by name.
    """

    template_class = _Template
    loop_iteration_limit = 100_000
    output_stream_limit = 50 * 1024 * 1024
    local_namespace_limit = 50 * 1024 * 1024

    def __init__(self, filters: dict[str, Callable[..., Any]]) -> None:
        super().__init__(autoescape=True)
        self._end = time.thread_time() + SECONDS
        self.filters.update(filters)
        for name, function in list(self.filters.items()):
            self.filters[name] = self._bounded(name, function)

    def hurry(self) -> None:
        """Raise when the page's time is over.

        Raises:
            ResourceLimitError: it is.
        """
        if time.thread_time() > self._end:
            raise _limit(f"it takes more than {SECONDS:g} seconds")

    def page(self, source: str, values: dict[str, Any]) -> str:
        """Return the rendered page.

        Raises:
            LiquidError: it is not Liquid, can't be rendered, or is beyond a bound.
        """
        _weigh(source)
        try:
            return str(self.from_string(source).render(values))
        except LiquidError:
            raise
        except Exception as error:
            # Filters raise whatever Python's own functions do with odd values.
            raise LiquidError(f"{type(error).__name__}: {error}", token=None) from error

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def bounded(*arguments: Any, **named: Any) -> Any:
            self.hurry()
            for value in arguments:
                _measure(name, value)
            _foresee(name, arguments)
            result = function(*arguments, **named)
            _measure(name, result)
            return result

        return bounded


def _weigh(source: str) -> None:
    """Hold a template's tags against the bounds, in one pass."""
    count = size = place = 0
    while opening := _OPENS.search(source, place):
        start = opening.start()
        closing = "}}" if source[start + 1] == "{" else "%}"
        end = source.find(closing, start + 2, start + LONGEST_TAG)
        if end < 0:
            raise _limit(
                f"the tag in line {_line(source, start)} doesn't end within {LONGEST_TAG:,} characters"
            )
        if _BLANKS.search(source, start, end):
            raise _limit(f"the tag in line {_line(source, start)} has 200 blanks in a row")
        count, size, place = count + 1, size + end - start, end + 2
        if count > MOST_TAGS or size > ALL_TAGS:
            raise _limit(f"it has more than {MOST_TAGS:,} tags or {ALL_TAGS:,} characters in tags")
        if verbatim := _VERBATIM.fullmatch(source, start, place):
            ending = _ENDS[verbatim[1]].search(source, place)
            if ending is None:
                raise LiquidError(f"a {verbatim[1]} block has no end", token=None)
            place = ending.end()


def _line(source: str, place: int) -> int:
    return source.count("\n", 0, place) + 1


def _foresee(name: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what would be too large, before it is made."""
    if name == "replace" and len(arguments) > 1:
        text, wanted = str(arguments[0]), str(arguments[1])
        times = text.count(wanted) if wanted else len(text) + 1
        grown = times * len(str(arguments[2])) if len(arguments) > 2 else 0
        _measure(name, range(0), size=grown)
    if name == "join" and isinstance(arguments[0], (list, tuple, range)):
        glue = len(str(arguments[1])) if len(arguments) > 1 else 1
        _measure(name, range(0), size=sum(len(str(one)) + glue for one in arguments[0]))
    if name == "date" and len(arguments) > 1 and _WIDE_DATE.search(str(arguments[1])):
        raise _limit("the filter date has a width of three digits")


def _measure(name: str, value: Any, *, size: int = 0) -> None:
    if isinstance(value, str) or size:
        if max(size, len(value)) > LONGEST_TEXT:
            raise _limit(f"the filter {name} has a text of more than {LONGEST_TEXT:,} characters")
    elif isinstance(value, Sized) and len(value) > LONGEST_LIST:
        raise _limit(f"the filter {name} has a list of more than {LONGEST_LIST:,} entries")
    elif isinstance(value, int) and abs(value) > _WHOLE_NUMBER:
        raise _limit(f"the filter {name} has a number beyond {_WHOLE_NUMBER:.0e}")


def _limit(what: str) -> ResourceLimitError:
    return ResourceLimitError(f"{what}; the embedded AWS renders no such template", token=None)
