"""What a job may cost: ceilings, and the prices by which it is estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aws_cdk import CustomResource

from ._rooms import contract, cost, limits
from .task import StoppingConditions
from .validation import TAG_ALPHABET, Checker, is_token, tag_character

# The handler reads these texts again, so their form is a part of the contract with it.
_ONE_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+"
_AMOUNT = r"[0-9]{1,12}(\.[0-9]{1,6})?"


@dataclass(frozen=True, kw_only=True)
class PriceTier:
    """A price per labeled object, as Ground Truth's fee has it.

    Args:
        price: Such as ``"0.05"``, in the prices' currency.
        up_to: Objects up to which it holds, counted from the first. Default: all that come after.
    """

    price: str
    up_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices that you have read, with where and when: the library knows none.

    Args:
        currency: Such as ``"USD"``.
        source: Where they are from, such as the pricing page or a vendor's offer; told with every sum.
        as_of: The day on which they were read, such as ``"2026-11-23"``.
        per_object: Ground Truth's fee, tier by tier; your tier depends on the account's other jobs of the
            month. Default: none is counted.
        per_task: What the work team takes for one image and worker. Default: nothing, as of your own people.
    """

    currency: str
    source: str
    as_of: str
    per_object: Sequence[PriceTier] = ()
    per_task: str = "0"


@dataclass(frozen=True, kw_only=True)
class CostCeiling:
    """Bounds of a job's size and price: `cdk deploy` refuses a job above one, and tells the sum.

    Objects are known only when the manifest has been read, so this is checked just before the job is made.

    Args:
        max_objects: Most objects to label. Default: no such bound.
        max_tasks: Most tasks: objects times workers. Default: no such bound.
        max_amount: Most money, such as ``"500"``; needs prices. Default: no such bound.
        prices: For ``max_amount``, and to estimate in money. Default: objects and tasks are counted.
        stop_at_ceiling: Instead of being refused, a job ends when it has labeled what the ceilings allow.
            Default: False.
    """

    max_objects: int | None = None
    max_tasks: int | None = None
    max_amount: str | None = None
    prices: Prices | None = None
    stop_at_ceiling: bool = False

    def check(self, check: Checker) -> None:
        """Refuse bounds that bound nothing, and amounts that are none.

        Raises:
            ValueError: the message names the argument.
        """
        check.integer("cost_ceiling.max_objects", self.max_objects, 1)
        check.integer("cost_ceiling.max_tasks", self.max_tasks, 1)
        if self.max_amount is not None:
            _check_amount(check, "max_amount", self.max_amount)
            if self.prices is None:
                check.fail("cost_ceiling.prices", "be given with max_amount", None)
        if self.prices is not None:
            _check_prices(check, self.prices)
        if self.stop_at_ceiling:
            self._check_stop(check)

    def _check_stop(self, check: Checker) -> None:
        """What the number of objects to stop at is worked out of."""
        bounds = {name: getattr(self, name) for name in ("max_objects", "max_tasks", "max_amount")}
        if all(bound is None for bound in bounds.values()):
            check.fail("cost_ceiling.stop_at_ceiling", "be given with a bound", True)
        for name, bound in bounds.items():
            check.known(f"cost_ceiling.{name}", bound)
        if self.prices is not None:
            check.known("cost_ceiling.prices.per_task", self.prices.per_task)

    def properties(self) -> dict[str, Any]:
        """The contract's ``Cost``."""
        found: dict[str, Any] = {
            "MaxObjects": self.max_objects,
            "MaxTasks": self.max_tasks,
            "MaxAmount": self.max_amount,
        }
        if self.prices is not None:
            found |= {
                "Currency": self.prices.currency,
                "PricePerObject": [_tier_text(tier) for tier in self.prices.per_object],
                "PricePerTask": self.prices.per_task,
                "Source": self.prices.source,
                "AsOf": self.prices.as_of,
            }
        return {name: value for name, value in found.items() if value is not None}

    def allowed_objects(self, workers: int) -> int:
        """How many objects all bounds allow, of at most a job's quota."""
        terms = cost.terms(self.properties())
        return cost.most(
            limits.OBJECTS_MAX,
            lambda objects: cost.exceeded(cost.estimate(objects, workers=workers, terms=terms), terms),
        )


def stopping_conditions_of(
    check: Checker, ceiling: CostCeiling | None, given: StoppingConditions | None, workers: int | None
) -> StoppingConditions | None:
    """The job's conditions: those given, or the one that a ceiling makes.

    Raises:
        ValueError: both are given, or the ceiling allows no object at all.
    """
    if ceiling is None:
        return given
    ceiling.check(check)
    if not ceiling.stop_at_ceiling:
        return given
    if given is not None:
        check.fail("stopping_conditions", "be left out with cost_ceiling.stop_at_ceiling", given)
    check.known("number_of_human_workers_per_data_object", workers)
    workers = workers or limits.WORKERS_DEFAULT
    most = ceiling.allowed_objects(workers)
    if not most:
        check.fail("cost_ceiling", f"allow at least one object of {workers} workers", ceiling)
    return StoppingConditions(max_human_labeled_object_count=most)


def _check_prices(check: Checker, prices: Prices) -> None:
    for name in ("currency", "source", "as_of"):
        said = getattr(prices, name)
        check.text(f"cost_ceiling.prices.{name}", said, longest=200, pattern=_ONE_LINE, rule="be one line")
    if not is_token(prices.currency) and tag_character(prices.currency):
        # It becomes part of a tag of the job.
        check.fail("cost_ceiling.prices.currency", TAG_ALPHABET, prices.currency, "write 'USD' for '$'")
    _check_amount(check, "prices.per_task", prices.per_task)
    last = 0
    for index, tier in enumerate(prices.per_object):
        name = f"cost_ceiling.prices.per_object[{index}]"
        check.known(f"{name}.price", tier.price)
        check.known(f"{name}.up_to", tier.up_to)
        _check_amount(check, f"prices.per_object[{index}].price", tier.price)
        if tier.up_to is None and index + 1 < len(prices.per_object):
            check.fail(name, "have up_to, as another tier comes after it", tier)
        if tier.up_to is not None and tier.up_to <= last:
            check.fail(name, f"be up to more than {last}", tier.up_to)
        last = tier.up_to or last


def _check_amount(check: Checker, name: str, amount: str) -> None:
    rule = "be a decimal number in a string, such as '0.05'"
    check.text(f"cost_ceiling.{name}", amount, longest=20, pattern=_AMOUNT, rule=rule)


def _tier_text(tier: PriceTier) -> str:
    return f"{Decimal(tier.price)} up to {tier.up_to}" if tier.up_to else str(Decimal(tier.price))


class LabelingJobEstimates:
    """What a job was estimated at when it was made; "unknown" of a job made without preflight."""

    _resource: CustomResource

    @property
    def estimated_object_count(self) -> str:
        """Objects to label, at deploy time."""
        return self._resource.get_att_string(contract.ATTR_OBJECTS)

    @property
    def estimated_task_count(self) -> str:
        """Objects times workers, at deploy time."""
        return self._resource.get_att_string(contract.ATTR_TASKS)

    @property
    def estimated_cost(self) -> str:
        """What the job costs by the prices of `CostCeiling`, such as "123.40 USD", at deploy time."""
        return self._resource.get_att_string(contract.ATTR_COST)
