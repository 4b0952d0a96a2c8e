"""The fault matrix: every call that the handler makes in a clean run, with every kind of fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tests.faults.faults import NOT_CONFIGURED, OF_ANSWER, OF_CALL, Injector, Kind, Point
from tests.faults.invariants import check, check_after_destroy, check_neighbour
from tests.faults.scenarios import Scenario
from tests.faults.world import World

# Long enough for a second look at the job.
_PACE = 0.1


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Scenario = TypeVar("_Scenario", bound=_Named)


@dataclass(frozen=True)
class Cell(Generic[_Scenario]):
    """One fault at one call of one scenario."""

    scenario: _Scenario
    point: Point
    kind: Kind

    def __str__(self) -> str:
        where = f"request {self.point.request}, call {self.point.call} ({self.point.action})"
        return f"{self.scenario.name} | {where} | {self.kind}"


@dataclass(frozen=True)
class Result:
    """What became of a cell; no problem is success."""

    cell: Cell[Scenario]
    problems: tuple[str, ...]
    struck: bool
    given_up: bool
    log: str
    texts: frozenset[str]


def points(scenario: Scenario) -> list[tuple[Point, str]]:
    """The calls of a clean run's last step, each with its request's type; of a row of polls, two."""
    injector = Injector(None, None)
    with World(injector, pace=_PACE) as world:
        for step in scenario.setup:
            step(world)
        first = len(world.cloudformation.events)
        scenario.step(world)
        seen = [point for point in injector.seen if point.request >= first]
        kinds = [event["RequestType"] for event in world.cloudformation.events]
        problems = [*check(world, scenario, clean=True), *_more(scenario.afterwards, world)]
        problems += [*check_after_destroy(world), *_more(scenario.at_the_end, world), *check_neighbour(world)]
        assert not problems, (scenario.name, problems, world.log.getvalue())
    return [(point, kinds[point.request]) for point in _without_polls(seen)]


def _more(look: Callable[[World], list[str]] | None, world: World) -> list[str]:
    return look(world) if look is not None else []


def _without_polls(seen: list[Point]) -> Iterator[Point]:
    for _, row in itertools.groupby(seen, key=lambda point: (point.request, point.action)):
        polls = list(row)
        yield from polls if len(polls) < 3 else (polls[0], polls[-1])


def cells(scenario: Scenario) -> Iterator[Cell[Scenario]]:
    """All cells of a scenario."""
    of_requests = set()
    holes = set()
    created = False
    for point, request_type in points(scenario):
        kinds = OF_ANSWER if point.action == "cloudformation:Answer" else OF_CALL
        for kind in kinds:
            if kind is Kind.CANCELLED and request_type == "Delete":
                continue  # CloudFormation cancels what it makes, never what it deletes
            if kind is Kind.BODY_BREAKS and point.action != "s3:GetObject":
                continue  # any other body is read within the call, and its breaking is a lost answer
            if kind is Kind.BODY_EMPTIED and point.action == "s3:GetObject":
                continue  # the body of an object is nobody's answer
            if kind is Kind.FOREIGN_TAGS and point.service != "sagemaker":
                continue  # who tags a job while something else is asked has done so before or after
            if kind is Kind.LATE_CONFIGURATION and point.action.partition(":")[2] not in NOT_CONFIGURED:
                continue
            if kind is Kind.LATE_IAM and (created or request_type != "Create"):
                continue  # what was allowed once stays allowed
            if kind is Kind.BLACK_HOLE and (point.request, point.service) in holes:
                continue  # it swallows all calls from the first one on
            if kind is Kind.BLACK_HOLE:
                holes.add((point.request, point.service))
            yield Cell(scenario, point, kind)
        created = created or point.action == "sagemaker:CreateLabelingJob"
        if point.request not in of_requests:
            of_requests.add(point.request)
            yield Cell(scenario, point, Kind.DUPLICATE_LATE)


def run(cell: Cell[Scenario], *, provider_framework: bool = False) -> Result:
    """Run a scenario with the cell's fault in it; then heal, let the user go on, and take the stack down."""
    late = cell.kind is Kind.DUPLICATE_LATE
    injector = Injector(None if late else cell.point, cell.kind)
    with World(injector, pace=_PACE) as world:
        world.cloudformation.provider_framework = provider_framework
        for step in cell.scenario.setup:
            step(world)
        first = set(world.jobs())
        cell.scenario.step(world)
        problems = check(world, cell.scenario, clean=False, kind=cell.kind, first=first)
        injector.healed = True
        if late:
            world.cloudformation.again(world.cloudformation.events[cell.point.request])
            problems += check(world, cell.scenario, clean=True, kind=cell.kind, first=first)
        problems += _more(cell.scenario.afterwards, world)
        problems += check_after_destroy(world)
        if late:
            for event in list(world.cloudformation.events):
                world.cloudformation.again(event)
            problems += check_after_destroy(world)
        problems += _more(cell.scenario.at_the_end, world)
        problems += check_neighbour(world)
        given_up = world.cloudformation.given_up > 0
        texts = frozenset(world.cloudformation.reasons)
        return Result(cell, tuple(problems), injector.struck or late, given_up, world.log.getvalue(), texts)
