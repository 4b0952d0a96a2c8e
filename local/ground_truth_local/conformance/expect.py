"""Compares what was seen with what a row expects."""

from __future__ import annotations

import re
from typing import Any

ABSENT = "absent"


def look(seen: Any, path: str) -> Any:
    """Return what is at a dotted path, `"absent"` if nothing is; `#` counts, `*` collects from a list."""
    found = seen
    for name in path.split("."):
        if name == "#":
            found = len(found) if isinstance(found, list | dict | str) else ABSENT
        elif name == "keys":
            found = sorted(found) if isinstance(found, dict) else ABSENT
        elif isinstance(found, list):
            found = _of_list(found, name)
        elif isinstance(found, dict):
            found = found.get(name, ABSENT)
        else:
            return ABSENT
    return found


def _of_list(found: list[Any], name: str) -> Any:
    if name.lstrip("-").isdigit():
        index = int(name)
        return found[index] if -len(found) <= index < len(found) else ABSENT
    return [entry[name] for entry in found if isinstance(entry, dict) and name in entry]


def agrees(got: Any, expected: Any) -> bool:
    """Tell whether a value is the expected one; a text that begins with `~` is a regular expression.

    A list agrees with such a text if one of its entries does.
    """
    if isinstance(expected, str) and expected.startswith("~"):
        values = got if isinstance(got, list) else [got]
        return any(isinstance(value, str) and re.search(expected[1:], value) for value in values)
    return bool(got == expected)
