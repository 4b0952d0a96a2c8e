"""Every policy with one thing less, made of what a template really deploys."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A set of policies without one statement, action or resource."""

    removed: str
    #: The actions that nobody may do any more, on some resource at least.
    actions: tuple[str, ...]
    #: What isn't reachable any more, by these actions at least.
    resources: tuple[str, ...]
    policies: dict[str, dict[str, Any]]


def statements(policies: Mapping[str, Any]) -> int:
    """How many there are."""
    return sum(len(document["Statement"]) for document in policies.values())


def mutations(policies: Mapping[str, Any]) -> Iterator[Mutation]:
    """Without each statement, each action of a statement, each resource of a statement."""
    for name, document in policies.items():
        for index, statement in enumerate(document["Statement"]):
            actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
            label = f"{name}[{statement.get('Sid', index)}]"
            all_actions, everywhere = tuple(actions), tuple(resources)
            yield _without(policies, name, index, label, all_actions, everywhere, None)
            for action in actions if len(actions) > 1 else ():
                rest = {"Action": [each for each in actions if each != action]}
                yield _without(policies, name, index, f"{label} {action}", (action,), everywhere, rest)
            for resource in resources if len(resources) > 1 else ():
                rest = {"Resource": [each for each in resources if each != resource]}
                yield _without(
                    policies, name, index, f"{label} on {resource}", all_actions, (resource,), rest
                )


def as_list(value: Any) -> list[Any]:
    """IAM takes one or many."""
    return value if isinstance(value, list) else [value]


def _without(
    policies: Mapping[str, Any],
    name: str,
    index: int,
    removed: str,
    actions: tuple[str, ...],
    resources: tuple[str, ...],
    rest: dict[str, Any] | None,
) -> Mutation:
    changed = copy.deepcopy(dict(policies))
    if rest is None:
        del changed[name]["Statement"][index]
        if not changed[name]["Statement"]:
            del changed[name]
    else:
        changed[name]["Statement"][index] |= rest
    return Mutation(removed=removed, actions=actions, resources=resources, policies=changed)
