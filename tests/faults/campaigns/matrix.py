"""The fault matrix of a campaign: every call of its function in a clean run, with every kind of fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.campaigns.world import IMAGES, CampaignWorld
from tests.faults.faults import OF_ANSWER, OF_CALL, Injector, Kind, Point
from tests.faults.matrix import Cell
from tests.faults.texts import is_for_users

_PACE = 0.1
#: Long enough for each `Retry` of the state machine and an hour's look; far below the end of a token.
_DAYS = 0.75
#: Tags and buckets' configuration are a job's matter, which has a matrix of its own.
_NOT_HERE = (Kind.FOREIGN_TAGS, Kind.LATE_CONFIGURATION, Kind.LATE_IAM)


@dataclass(frozen=True)
class Scenario:
    """Steps that go without a fault, then the step whose every call meets every fault."""

    name: str
    step: Callable[[CampaignWorld], object]
    setup: tuple[Callable[[CampaignWorld], object], ...] = ()


def _deploy(world: CampaignWorld) -> None:
    assert world.cloudformation.deploy(world.properties), world.cloudformation.last_reason


def _run(name: str) -> Callable[[CampaignWorld], None]:
    def act(world: CampaignWorld) -> None:
        world.run(name)
        world.rest(_DAYS)

    return act


def _half(world: CampaignWorld) -> None:
    """One of a run's three jobs is over, one is in its middle."""
    world.run("first")
    world.until(lambda: world.bought)
    world.until(lambda: world.jobs("InProgress"))
    world.wait(2_000)


def _stop(world: CampaignWorld) -> None:
    for each in world.machine.running():
        world.machine.stop(each.arn, "by hand")
    world.rest(_DAYS)


def _destroy(world: CampaignWorld) -> None:
    world.cloudformation.destroy()
    world.rest(_DAYS)


def _change(world: CampaignWorld) -> None:
    job = world.properties["Job"]
    task = {**job["Request"]["HumanTaskConfig"], "TaskTitle": "B"}
    changed = {**job, "Request": {**job["Request"], "HumanTaskConfig": task}}
    world.cloudformation.deploy({**world.properties, "Job": changed})
    world.rest(_DAYS)


def _spoil(world: CampaignWorld) -> None:
    world.spoiled = {1}


SCENARIOS = (
    Scenario("a first run", _run("first"), (_deploy,)),
    Scenario("a run of which a job fails", _run("first"), (_deploy, _spoil)),
    Scenario("a run after one of which a job failed", _run("second"), (_deploy, _spoil, _run("first"))),
    Scenario("a stop in the middle", _stop, (_deploy, _half)),
    Scenario("a destroy in the middle", _destroy, (_deploy, _half)),
    Scenario("a changed instruction in the middle", _change, (_deploy, _half)),
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What became of a cell; no problem is success."""

    problems: tuple[str, ...]
    struck: bool
    log: str


def points(scenario: Scenario) -> list[Point]:
    """The calls of a clean run's last step; of a row of polls, two."""
    injector = Injector(None, None)
    with CampaignWorld(injector, pace=_PACE) as world:
        for step in scenario.setup:
            step(world)
        first = len(injector.seen)
        scenario.step(world)
        seen = injector.seen[first:]
        problems = check(world)
        assert not problems, (scenario.name, problems, world.log.getvalue())
    kept = []
    for _, row in itertools.groupby(dict.fromkeys(seen), key=lambda point: (point.request, point.action)):
        polls = list(row)
        kept += polls if len(polls) < 3 else [polls[0], polls[-1]]
    return kept


def cells(scenario: Scenario) -> Iterator[Cell[Scenario]]:
    """All cells of a scenario."""
    holes = set()
    for point in points(scenario):
        kinds = OF_ANSWER if point.action == "cloudformation:Answer" else OF_CALL
        for kind in kinds:
            if kind in _NOT_HERE:
                continue
            if kind is Kind.BODY_BREAKS and point.action != "s3:GetObject":
                continue  # any other body is read within the call, and its breaking is a lost answer
            if kind is Kind.BODY_EMPTIED and point.action == "s3:GetObject":
                continue  # the body of an object is nobody's answer
            if kind is Kind.BLACK_HOLE:
                if (point.request, point.service) in holes:
                    continue  # it swallows all calls from the first one on
                holes.add((point.request, point.service))
            yield Cell(scenario, point, kind)


def run(cell: Cell[Scenario]) -> Result:
    """Run a scenario with the cell's fault; then heal, let a next run do the rest, and take all down."""
    injector = Injector(cell.point, cell.kind)
    with CampaignWorld(injector, pace=_PACE) as world:
        for step in cell.scenario.setup:
            step(world)
        cell.scenario.step(world)
        return Result(tuple(check(world)), injector.struck, world.log.getvalue())


def check(world: CampaignWorld) -> list[str]:
    """Problems once the step is over: what goes on for ever, what was lost, and what was bought twice."""
    problems = []
    # While nobody at all may be told, whoever waits has to wait on.
    waits = world.injector.kind is Kind.THROTTLED_EVERYWHERE
    if not world.rest(_DAYS) and not waits:
        runs = [each.name for each in world.machine.running()]
        problems.append(f"after days the runs {runs} wait and the jobs {world.jobs()} live")
    world.injector.healed = True
    world.spoiled = set()
    if not world.rest(_DAYS):
        return [*problems, "healed, it goes on waiting"]
    problems += _finish(world)
    problems += [
        f"the user is told: {each.cause}"
        for each in world.machine.executions.values()
        if not is_for_users(each.cause)
    ]
    return problems + [
        f"the user is told: {text}" for text in world.cloudformation.reasons if not is_for_users(text)
    ]


def _finish(world: CampaignWorld) -> list[str]:
    """The user deploys what is not there, and one more run labels the rest."""
    stack = world.cloudformation
    if stack.resource is None and not stack.deploy(world.properties):
        return [f"can't be deployed again: {stack.last_reason}"]
    last = world.run("last")
    if not world.rest(_DAYS):
        return ["the last run never ends"]
    problems = [] if last.status == "SUCCEEDED" else [f"the last run is {last.status}: {last.cause}"]
    wanted = [f"s3://photos/day/{number}.jpg" for number in range(IMAGES)]
    found = [line["source-ref"] for line in world.lines("dataset.manifest")]
    if found != wanted:
        problems.append(f"labeled: {found}")
    if world.labeled_twice():
        problems.append(f"bought twice: {world.labeled_twice()}")
    if world.lines("unlabeled.jsonl"):
        problems.append(f"unlabeled: {world.lines('unlabeled.jsonl')}")
    left = [*world.state("pending"), *world.state("tokens")]
    if left:
        problems.append(f"the campaign still has in hand: {left}")
    if not stack.destroy():
        problems.append(f"can't be destroyed: {stack.last_reason}")
    if world.jobs():
        problems.append(f"the jobs {world.jobs()} live after destroy")
    return problems
