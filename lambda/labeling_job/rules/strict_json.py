"""JSON as all readers of a job's files take it: nothing twice, nothing but JSON, nested within a bound."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, Final

#: Ours, and the same for every Python: parsers give up at some depth, and none says at which.
NESTING_MAX: Final = 200
_DIGITS_MAX = 4_000
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it isn't one; the message begins with the reason.
    """
    if text.count("[") + text.count("{") > NESTING_MAX and _depth(text) > NESTING_MAX:
        raise ValueError(f"nested more than {NESTING_MAX} deep")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        # In one line, the decoder's own position says no more than the column.
        where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno} column {error.colno}"
        raise ValueError(f"{error.msg}: {where}") from error
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("half a surrogate pair, which UTF-8 can't spell") from None
    return value


def _depth(text: str) -> int:
    brackets = _STRING.sub("", text).encode(errors="replace").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        seen = set[str]()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"there twice: {twice!r}")
    return entry


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        # Python's own bound, in words that don't speak of Python.
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)
