"""What must be true of an account when CloudFormation has come to rest, whatever went wrong before."""

from __future__ import annotations

from collections.abc import Collection

from labeling_job.contract import TAG_STACK
from tests.faults.faults import ADVISING, LASTING, UNNOTICED, Kind
from tests.faults.scenarios import Scenario
from tests.faults.texts import is_for_users
from tests.faults.world import LIVE, World

# No operation of a stack with one job may take longer than three requests that each reach their timeout.
_SETTLED = 60.0


def check(
    world: World,
    scenario: Scenario,
    *,
    clean: bool,
    kind: Kind | None = None,
    first: Collection[str] = (),
) -> list[str]:
    """Problems after the step that met the fault."""
    stack = world.cloudformation
    world.wait(_SETTLED)
    problems = list(stack.problems)
    if world.lambda_timeouts:
        problems.append(f"{world.lambda_timeouts} runs of the handler reached Lambda's timeout")
    lasting = kind in LASTING
    if stack.status.endswith("_ROLLBACK_FAILED") and lasting:
        world.injector.healed = True
        if not stack.continue_rollback():
            problems.append(f"the rollback can't be continued: {stack.last_reason}")
    elif stack.status.endswith("_FAILED") and not lasting:
        problems.append(f"the stack ends as {stack.status}: {stack.last_reason}")
    world.wait(_SETTLED)
    problems += owned(world)
    if scenario.back_to_first and first and not set(first) <= set(world.jobs(*LIVE)):
        problems.append(f"the old job {sorted(first)} no longer runs")
    problems += bad_texts(world) + untagged(world) + harmed(world)
    unnoticed = clean or kind in UNNOTICED or _only_advice_is_missing(world, kind)
    if unnoticed and scenario.keeps_job and not _current_is_live(world):
        problems.append(f"the stack's job doesn't run; {stack.status}: {stack.last_reason}")
    if "secret" in world.log.getvalue():
        problems.append("the log has the response URL")
    return problems


def _only_advice_is_missing(world: World, kind: Kind | None) -> bool:
    point = world.injector.point
    return kind is Kind.BLACK_HOLE and point is not None and point.service in ADVISING


def bad_texts(world: World) -> list[str]:
    """What nobody who deploys can make sense of: names of Python's and of libraries' errors."""
    return [
        f"the user is told: {reason}"
        for reason in dict.fromkeys(world.cloudformation.reasons)
        if not is_for_users(reason)
    ]


def untagged(world: World) -> list[str]:
    """Jobs that lost what others have put on them."""
    tags = world.tags()
    return [
        f"the job {name} lost a tag of somebody else's"
        for name, foreign in world.foreign.items()
        if not foreign.items() <= tags[name].items()
    ]


def owned(world: World) -> list[str]:
    """Jobs alive are jobs that a stack has, or that the user retained; and never two.

    The one exception is told by CloudFormation itself: a clean-up that failed each time it was tried.
    """
    strays = live_strays(world)
    if not strays or world.cloudformation.given_up:
        return []
    return [f"jobs {sorted(strays)} live, which no stack has; {world.cloudformation.status}"]


def live_strays(world: World) -> set[str]:
    """Live jobs that neither a stack has nor the user retained."""
    stack = world.cloudformation
    mine = {stack.resource.physical_id.removeprefix("not-created:")} if stack.resource else set()
    return set(world.jobs(*LIVE)) - mine - stack.retained - _of_neighbour(world)


def check_after_destroy(world: World) -> list[str]:
    """Problems after the user has taken the stack down, with nothing going wrong any more."""
    stack = world.cloudformation
    world.injector.healed = True
    nothing_sent = stack.resource is None and stack.given_up
    if stack.status not in ("DELETE_COMPLETE", "ROLLBACK_COMPLETE") and not stack.destroy():
        return [f"the stack can't be destroyed: {stack.last_reason}"]
    world.wait(_SETTLED)
    left = set(world.jobs()) - stack.retained - _of_neighbour(world)
    problems = [f"jobs {sorted(left)} live after destroy"] if left and not nothing_sent else []
    return problems + harmed(world)


def harmed(world: World) -> list[str]:
    """What a stack did to another stack's job; tags of a third party are nobody's harm."""
    problems = []
    for name in sorted(_of_neighbour(world)):
        if name not in world.jobs(*LIVE):
            problems.append(f"the job {name} of another stack no longer runs")
        of_others = world.foreign.get(name, {})
        kept = {key: value for key, value in world.tags()[name].items() if key not in of_others}
        if kept.get(TAG_STACK) != world.neighbour.stack_id:
            problems.append(f"the job {name} of another stack is no longer marked as its: {kept}")
    return problems


def check_neighbour(world: World) -> list[str]:
    """Problems when the other stack goes, too: what is its own it may still stop."""
    if world.neighbour.resource is None:
        return []
    if not world.neighbour.destroy():
        return [f"the other stack can't be destroyed: {world.neighbour.last_reason}"]
    world.wait(_SETTLED)
    left = set(world.jobs()) - world.cloudformation.retained
    return [f"jobs {sorted(left)} live after the other stack's destroy"] if left else []


def _of_neighbour(world: World) -> set[str]:
    resource = world.neighbour.resource
    return {resource.physical_id} if resource else set()


def _current_is_live(world: World) -> bool:
    stack = world.cloudformation
    return stack.resource is not None and stack.resource.physical_id in world.jobs(*LIVE)
