"""What a job would cost, and whether that is within a ceiling.

No price is kept here: Ground Truth's fee is tiered and AWS's to change, and a vendor's price is the
vendor's. The user gives both, with where and when they were read, and is told them with every sum.

Standard library only and self-contained: the construct reads this file too.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Tier:
    """A price per object, up to so many objects; 0 for all that come after."""

    up_to: int = 0
    price: Decimal


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Prices and ceilings; None is no ceiling, an empty currency no prices."""

    max_objects: int | None = None
    max_tasks: int | None = None
    max_amount: Decimal | None = None
    currency: str = ""
    #: Ground Truth's own fee for each object that gets a label.
    per_object: Sequence[Tier] = ()
    #: What the work team takes for each task: an object shown to one worker.
    per_task: Decimal = Decimal(0)
    source: str = ""
    as_of: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A job's size and price."""

    objects: int
    workers: int
    tasks: int
    #: None without prices.
    amount: Decimal | None
    text: str


def terms(properties: Mapping[str, Any]) -> Terms:
    """Read what the construct wrote; `contract` has checked names and kinds.

    Raises:
        ValueError: an amount isn't a decimal number.
    """

    def number(key: str) -> int | None:
        return int(properties[key]) if key in properties else None

    def amount(key: str) -> Decimal | None:
        return _decimal(properties[key]) if key in properties else None

    return Terms(
        max_objects=number("MaxObjects"),
        max_tasks=number("MaxTasks"),
        max_amount=amount("MaxAmount"),
        currency=properties.get("Currency", ""),
        per_object=tuple(map(_tier, properties.get("PricePerObject", ()))),
        per_task=amount("PricePerTask") or Decimal(0),
        source=properties.get("Source", ""),
        as_of=properties.get("AsOf", ""),
    )


def _tier(text: str) -> Tier:
    price, _, up_to = text.partition(" up to ")
    return Tier(price=_decimal(price), up_to=int(up_to or 0))


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
        raise ValueError(f"not a decimal number: {text!r}")
    return Decimal(text)


def estimate(objects: int, *, workers: int, terms: Terms, human: int | None = None) -> Estimate:
    """What so many objects cost; ``human`` of them go to people, by default all."""
    tasks = (objects if human is None else human) * workers
    text, amount = _counts(objects, workers, tasks), None
    if terms.currency:
        fee, work = fee_of(objects, terms.per_object), terms.per_task * tasks
        amount = fee + work
        text += (
            f": {_money(amount, terms)}"
            f" ({_money(fee, terms)} for objects, {_money(work, terms)} for tasks;"
            f" prices of {terms.as_of}, {terms.source})"
        )
    return Estimate(objects=objects, workers=workers, tasks=tasks, amount=amount, text=text)


def fee_of(objects: int, tiers: Sequence[Tier]) -> Decimal:
    """The tiered fee for so many objects, counted from the first tier on."""
    total, counted = Decimal(0), 0
    for tier in tiers:
        upper = min(objects, tier.up_to) if tier.up_to else objects
        total += tier.price * max(0, upper - counted)
        counted = max(counted, upper)
    return total


def exceeded(what: Estimate, terms: Terms) -> list[str]:
    """Each ceiling that the estimate is above, with both numbers."""
    found = []
    for name, ceiling, got in (
        ("objects", terms.max_objects, what.objects),
        ("tasks", terms.max_tasks, what.tasks),
    ):
        if ceiling is not None and got > ceiling:
            found.append(f"{got:,} {name}, but at most {ceiling:,} are allowed")
    if terms.max_amount is not None and what.amount is not None and what.amount > terms.max_amount:
        found.append(
            f"{_money(what.amount, terms)}, but at most {_money(terms.max_amount, terms)} is allowed"
        )
    return found


def most(objects: int, above: Callable[[int], Sequence[str]]) -> int:
    """How many of so many objects are not above a ceiling; more of them never cost less."""
    return bisect_left(range(1, objects + 1), True, key=lambda count: bool(above(count)))


def _counts(objects: int, workers: int, tasks: int) -> str:
    return f"{_plural(objects, 'object')}, {_plural(workers, 'worker')} each, {_plural(tasks, 'task')}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _money(amount: Decimal, terms: Terms) -> str:
    return f"{amount.quantize(Decimal('0.01'), rounding=ROUND_CEILING):,} {terms.currency}"
