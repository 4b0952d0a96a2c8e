"""Every policy with one thing less, made of what a template really deploys."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
            whole = Mutation(
                removed=label, actions=all_actions, resources=everywhere, policies=dict(policies)
            )
            yield _without(whole, name, index, None)
            for action in actions if len(actions) > 1 else ():
                rest = {"Action": [each for each in actions if each != action]}
                one = replace(whole, removed=f"{label} {action}", actions=(action,))
                yield _without(one, name, index, rest)
            for resource in resources if len(resources) > 1 else ():
                rest = {"Resource": [each for each in resources if each != resource]}
                one = replace(whole, removed=f"{label} on {resource}", resources=(resource,))
                yield _without(one, name, index, rest)


def as_list(value: Any) -> list[Any]:
    """IAM takes one or many."""
    return value if isinstance(value, list) else [value]


def _without(
    mutation: Mutation,
    name: str,
    index: int,
    rest: dict[str, Any] | None,
) -> Mutation:
    changed = copy.deepcopy(dict(mutation.policies))
    if rest is None:
        del changed[name]["Statement"][index]
        if not changed[name]["Statement"]:
            del changed[name]
    else:
        changed[name]["Statement"][index] |= rest
    return replace(mutation, policies=changed)
