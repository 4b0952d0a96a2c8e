"""Where the rules of the embedded AWS come from.

A `Rule` is a constant beside the code that holds it: every refusal carries one, and a function that behaves
by one says so with `holds`. `docs/twin.md` is written from them: no rule can be added without a source, and
nothing that was assumed is presented as known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

RULES: dict[str, Rule] = {}
"""All rules by name, as far as their modules are imported."""

_Function = TypeVar("_Function", bound=Callable[..., object])


class Kind(StrEnum):
    """How much a source is worth, the best first."""

    MODEL = "service model"
    REFERENCE = "AWS documentation"
    OBSERVED = "observed in public"
    ASSUMED = "assumed"
    TWIN = "limit of the embedded AWS"


@dataclass(frozen=True)
class Source:
    """A kind and the place: a path in the service model, a page, an issue, or why something was assumed."""

    kind: Kind
    where: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


def model(path: str) -> Source:
    """Botocore's SageMaker service model 2017-07-24, as `Shape$Member` or an operation's name."""
    return Source(Kind.MODEL, path)


def guide(page: str) -> Source:
    """A page of the SageMaker Developer Guide, by its file name where that is known."""
    return Source(Kind.REFERENCE, f"Developer Guide, {page}")


def reference(page: str) -> Source:
    """A page of another AWS documentation."""
    return Source(Kind.REFERENCE, page)


def observed(where: str) -> Source:
    """What somebody saw of the real service and published: repository and issue, or file."""
    return Source(Kind.OBSERVED, where)


def assumed(why: str) -> Source:
    """Nobody says so; what speaks for it."""
    return Source(Kind.ASSUMED, why)


def twin(why: str) -> Source:
    """No rule of AWS: the embedded AWS can't do more."""
    return Source(Kind.TWIN, why)


@dataclass(frozen=True)
class Rule:
    """One rule that the embedded AWS holds its callers to, or lives by."""

    name: str
    says: str
    source: Source

    def __post_init__(self) -> None:
        known = RULES.setdefault(self.name, self)
        if known != self:
            raise ValueError(f"there are two rules {self.name!r}")


def holds(*rules: Rule) -> Callable[[_Function], _Function]:
    """Mark a function as the place where these rules are lived by."""
    assert rules, "a rule"

    def mark(function: _Function) -> _Function:
        return function

    return mark
