"""The removal proof over one role: tried, killed, surviving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.least_privilege.mutations import Mutation, mutations, statements

# Runs wait for jobs more than they compute.
_AT_ONCE = 8


def prove(
    role: str,
    policies: Mapping[str, Any],
    refusal: Callable[[Mutation], str],
    record_property: Callable[[str, object], None],
) -> None:
    """Run with each thing removed in turn, and tell how that went.

    Args:
        refusal: what AWS said when the run was refused; empty if it never was.
    """
    tried = list(mutations(policies))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = list(zip(tried, pool.map(refusal, tried), strict=True))
    survivors = [each.removed for each, why in results if not why]
    misnamed = [(each.removed, why) for each, why in results if why and not _is_named(each, why)]
    killed = len(tried) - len(survivors)
    record_property(
        "told",
        f"Removal proof, {role}: {statements(policies)} statements, {len(tried)} mutations tried,"
        f" {killed} killed ({killed / len(tried):.0%}), {len(survivors)} surviving",
    )
    assert not survivors, survivors
    assert not misnamed, misnamed


def _is_named(mutation: Mutation, why: str) -> bool:
    return any(action in why for action in mutation.actions)
