"""Checks at synth time: eager, blind to tokens, and with the construct's path in every message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NoReturn

from aws_cdk import Duration, Token

from ._rooms import findings as finding

#: What tags consist of: the service model's pattern of `TagKey` and `TagValue`.
TAG_ALPHABET: Final = "be of letters, digits, spaces and _.:/=+-@"


def is_token(value: object) -> bool:
    """Whether a value is known only when CloudFormation deploys."""
    if isinstance(value, str):
        # The marker is looked for first: a call into the jsii kernel for every plain string would dominate
        # synth time.
        return "Token[" in value and (Token.is_unresolved(value) or Token.is_unresolved([value]))
    if isinstance(value, float):
        return Token.is_unresolved(value)
    if isinstance(value, (list, tuple)):
        return any(is_token(item) for item in value)
    return False


def tag_character(text: str) -> str:
    r"""The first character that the service takes in no tag; empty if there is none.

    `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, the service model's pattern of `TagKey` and `TagValue`.
    """
    return next(
        (each for each in text if each not in "_.:/=+-@" and unicodedata.category(each)[0] not in "LZN"), ""
    )


class Checker:
    """Raises `ValueError` with one form of message: who, argument, rule, what was given, fix."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, name: str, must: str, got: object, fix: str = "") -> NoReturn:
        """Raise the error; ``must`` completes "'name' must …"."""
        raise ValueError(f"{self.where}: '{name}' must {must}, got {got!r}{'; ' + fix if fix else ''}")

    def findings(self, name: str, found: finding.Findings, what: str) -> None:
        """Refuse what has errors, in the words in which a deploy would."""
        if found.errors():
            head = f"{self.where}: '{name}' breaks rules of a labeling job: {found.counts()} in {what}"
            raise ValueError(found.message(finding.clipped(head, 400), "docs/preflight.md has all checks."))

    def known(self, name: str, *values: object) -> None:
        """No token: something is worked out of the value before CloudFormation knows it."""
        for value in values:
            if is_token(value):
                self.fail(name, "be known at synth time", value)

    def integer(self, name: str, value: float | None, low: int, high: int | None = None) -> None:
        """A whole number of a range; None and tokens pass."""
        if value is None or is_token(value):
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value // 1 != value:
            self.fail(name, "be a whole number", value)
        if value < low or (high is not None and value > high):
            self.fail(name, f"be {low} to {high:,}" if high is not None else f"be at least {low}", value)

    def seconds(self, name: str, value: Duration | None, low: int, high: int) -> float | None:
        """A duration as seconds."""
        if value is None:
            return None
        if not isinstance(value, Duration):
            self.fail(name, "be an aws_cdk.Duration", value, "for example Duration.minutes(30)")
        seconds = value.to_seconds()
        if not is_token(seconds) and not low <= seconds <= high:
            self.fail(
                name, f"be {low} to {high:,} seconds ({_span(low)} to {_span(high)})", f"{seconds:g} seconds"
            )
        return seconds if is_token(seconds) else int(seconds)

    def text(
        self,
        name: str,
        value: str,
        *,
        longest: int,
        pattern: str | re.Pattern[str] = r"(?s:.+)",
        rule: str = "",
    ) -> None:
        """A non-empty string of a length and an alphabet; tokens pass."""
        if not isinstance(value, str):
            self.fail(name, "be a string", value)
        if is_token(value):
            return
        if not value or len(value) > longest:
            self.fail(name, f"have 1 to {longest} characters", value, f"it has {len(value)}")
        if not re.fullmatch(pattern, value):
            self.fail(name, rule, value)

    def items(self, name: str, values: Sequence[str], fix: str = "") -> None:
        """A list of strings, not one string (which Python would take letter by letter)."""
        if isinstance(values, str) or not isinstance(values, Sequence):
            self.fail(name, "be a list of strings", values, fix or f"write {name}=[{str(values)!r}]")


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
    return f"{seconds} seconds"
