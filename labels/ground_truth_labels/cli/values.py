"""Values of options that are more than text."""

from __future__ import annotations

import argparse
import re

from ..errors import ExportError
from ..shares import parse_shares

# Control characters, and those that turn the direction of what follows, of names that somebody else chose.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with everything that could drive a terminal written as an escape."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def split_value(text: str) -> dict[str, float]:
    """`80/10/10`, `0.8` or `train=0.8,test=0.2`."""
    try:
        return parse_shares(text)
    except ExportError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("split ")) from error
