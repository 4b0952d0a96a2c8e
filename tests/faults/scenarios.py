"""What people do to a stack with a labeling job in it; each ends with what must be true of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults import labels
from tests.faults.material import properties
from tests.faults.world import World

A, B = properties("A"), properties("B")
BROKEN = properties("B", manifest="not-there.manifest")
TAGGED = properties("A", tags={"team": "vision"})
RETAINED, RETAINED_B = properties("A", removal="Retain"), properties("B", removal="Retain")


def _deploy(*args: object, **kwargs: object) -> Callable[[World], object]:
    return lambda world: world.cloudformation.deploy(*args, **kwargs)  # type: ignore[arg-type]


def _worked_on(
    properties: dict[str, Any], *, count: int | None = 1, back: bool = False
) -> Callable[[World], object]:
    """Another resource fails after somebody has painted so many images for the new job; None for all."""
    return lambda world: world.cloudformation.deploy(
        properties, other_fails=True, back=back, meanwhile=lambda: labels.paint(world, count)
    )


def _beside(world: World) -> None:
    """Another stack of the account has the same job, under the same names."""
    assert world.neighbour.deploy(A)


def _destroy(world: World) -> object:
    return world.cloudformation.destroy()


def _end_by(action: str) -> Callable[[World], object]:
    def act(world: World) -> None:
        [name] = world.jobs()
        getattr(world, action)(name)

    return act


@dataclass(frozen=True)
class Scenario:
    """Steps that go without a fault, then the step whose every call meets every fault.

    Attributes:
        keeps_job: the stack's job is live when all is over and nothing went wrong.
        back_to_first: nothing that goes wrong may end the job of the set-up, or put another in its place.
        afterwards: further problems, once all is over and nothing goes wrong any more.
        at_the_end: further problems, once the stack is gone.
    """

    name: str
    step: Callable[[World], object]
    setup: tuple[Callable[[World], object], ...] = ()
    keeps_job: bool = False
    back_to_first: bool = False
    afterwards: Callable[[World], list[str]] | None = None
    at_the_end: Callable[[World], list[str]] | None = None


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("create", _deploy(A), keeps_job=True),
    Scenario("create with images of a bucket", _deploy(properties(images="Bucket")), keeps_job=True),
    Scenario("create with images of a directory", _deploy(properties(images="Directory")), keeps_job=True),
    Scenario("create after preflight", _deploy(properties(preflight=True)), keeps_job=True),
    Scenario(
        "create after preflight of a directory",
        _deploy(properties(images="Directory", preflight=True)),
        keeps_job=True,
    ),
    Scenario("create of a job that fails", _deploy(BROKEN)),
    Scenario("create, another resource fails", _deploy(A, other_fails=True)),
    Scenario("create in a stack that is there", _deploy(A), (_deploy(None),), keeps_job=True),
    Scenario(
        "create in a stack that is there, another resource fails",
        _deploy(A, other_fails=True),
        (_deploy(None),),
    ),
    Scenario("update A → B", _deploy(B), (_deploy(A),), keeps_job=True),
    Scenario("update A → B, B fails", _deploy(BROKEN), (_deploy(A),), keeps_job=True, back_to_first=True),
    Scenario(
        "update A → B, preflight refuses B",
        _deploy(properties("B", manifest="not-there.manifest", preflight=True)),
        (_deploy(A),),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario(
        "update A → B, another resource fails",
        _deploy(B, other_fails=True),
        (_deploy(A),),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario(
        "update A → B, another resource fails, rolled back by an update",
        _deploy(B, other_fails=True, back=True),
        (_deploy(A),),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario("update of tags", _deploy(TAGGED), (_deploy(A),), keeps_job=True, back_to_first=True),
    Scenario(
        "update of tags, another resource fails",
        _deploy(TAGGED, other_fails=True),
        (_deploy(A),),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario("update A → B → A", _deploy(A), (_deploy(A), _deploy(B)), keeps_job=True),
    Scenario(
        "update A → B with A stopped by hand",
        _deploy(B),
        (_deploy(A), _end_by("stop_by_hand")),
        keeps_job=True,
    ),
    Scenario(
        "update A → B with A stopped by hand, another resource fails, rolled back by an update",
        _deploy(B, other_fails=True, back=True),
        (_deploy(A), _end_by("stop_by_hand")),
    ),
    Scenario("delete", _destroy, (_deploy(A),)),
    Scenario("delete of a job stopped by hand", _destroy, (_deploy(A), _end_by("stop_by_hand"))),
    Scenario("delete of a completed job", _destroy, (_deploy(A), _end_by("complete"))),
    Scenario("removal from the stack", _deploy(None), (_deploy(A),)),
    Scenario("delete of a retained job", _destroy, (_deploy(RETAINED),)),
    Scenario("replacement of a retained job", _deploy(RETAINED_B), (_deploy(RETAINED),), keeps_job=True),
    Scenario(
        "replacement of a retained job, another resource fails",
        _deploy(RETAINED_B, other_fails=True),
        (_deploy(RETAINED),),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario("re-deploy after destroy", _deploy(A), (_deploy(A), _destroy), keeps_job=True),
    Scenario("create beside another stack", _deploy(A), (_beside,), keeps_job=True),
    Scenario("update A → B beside another stack", _deploy(B), (_beside, _deploy(A)), keeps_job=True),
    Scenario(
        "update A → B beside another stack, another resource fails",
        _deploy(B, other_fails=True),
        (_deploy(A), _beside),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario("delete beside another stack", _destroy, (_deploy(A), _beside)),
)

_LABELED = labels.job("A")


def _keeping(
    name: str, step: Callable[[World], object], setup: tuple[Callable[[World], object], ...], **more: bool
) -> Scenario:
    """A scenario after which the labels that were paid for are there, and the work goes on."""
    goes_on, kept = labels.goes_on(labels.job("C")), labels.nothing_lost
    return Scenario(name, step, setup, afterwards=goes_on, at_the_end=kept, **more)


SCENARIOS += (
    _keeping(
        "update in the middle of the work",
        _deploy(labels.job("B")),
        (_deploy(_LABELED), labels.painted(2)),
        keeps_job=True,
    ),
    _keeping(
        "update in the middle of the work, another resource fails",
        _deploy(labels.job("B"), other_fails=True),
        (_deploy(_LABELED), labels.painted(2)),
    ),
    _keeping(
        "update in the middle of the work, another resource fails, rolled back by an update",
        _deploy(labels.job("B"), other_fails=True, back=True),
        (_deploy(_LABELED), labels.painted(2)),
    ),
    _keeping(
        "update in the middle of the work, the new job is worked on, another resource fails",
        _worked_on(labels.job("B")),
        (_deploy(_LABELED), labels.painted(2)),
    ),
    _keeping(
        "update in the middle of the work, the new job labels all the rest, another resource fails",
        _worked_on(labels.job("B"), count=None),
        (_deploy(_LABELED), labels.painted(2)),
    ),
    _keeping(
        "update in the middle of the work, the new job is worked on, rolled back by an update",
        _worked_on(labels.job("B"), back=True),
        (_deploy(_LABELED), labels.painted(2)),
    ),
    _keeping(
        "update in the middle of the work, the new job labels all the rest, rolled back by an update",
        _worked_on(labels.job("B"), count=None, back=True),
        (_deploy(_LABELED), labels.painted(2)),
    ),
    _keeping(
        "update with more photographs, all that there were labeled",
        _deploy(labels.job("B")),
        (_deploy(_LABELED), labels.painted(4), labels.photograph),
        keeps_job=True,
    ),
    _keeping(
        "update of a job stopped by hand in the middle",
        _deploy(labels.job("B")),
        (_deploy(_LABELED), labels.painted(3), _end_by("stop_by_hand")),
        keeps_job=True,
    ),
    _keeping(
        "update in the middle that adds a class",
        _deploy(labels.job("B", ("road", "sky", "kerb"))),
        (_deploy(_LABELED), labels.painted(2)),
        keeps_job=True,
        back_to_first=True,
    ),
    Scenario(
        "delete in the middle of the work",
        _destroy,
        (_deploy(_LABELED), labels.painted(2)),
        at_the_end=labels.nothing_lost,
    ),
)


def named(scenario: str) -> Iterator[Scenario]:
    """Scenarios whose name contains the text."""
    return (each for each in SCENARIOS if scenario in each.name)
