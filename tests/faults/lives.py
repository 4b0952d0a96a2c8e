"""Random lives of a stack: deploys, failures, rollbacks, stops by hand, retries; faults at random calls."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.faults.faults import OF_REQUEST, Armed, Kind
from tests.faults.invariants import bad_texts, live_strays, untagged
from tests.faults.material import properties
from tests.faults.world import LIVE, World

STEPS = 20

jobs = st.sampled_from(["A", "B", "C"])
images = st.sampled_from(["Manifest", "Manifest", "Bucket", "Directory"])
#: The kinds of a real account's own, and no fault at all, are met more often than they are many.
OFTEN = [
    Kind.BODY_BREAKS,
    Kind.BODY_SHORT,
    Kind.BODY_EMPTIED,
    Kind.LATE_IAM,
    Kind.LATE_CONFIGURATION,
    Kind.BARE_403,
    Kind.BLACK_HOLE,
]
kinds = st.none() | st.sampled_from([*OFTEN, *(kind for kind in Kind if kind not in OF_REQUEST)])
calls = st.integers(0, 12)


class StackLife(RuleBasedStateMachine):
    """Each rule is one thing that a person does; after each, every live job has its owner."""

    steps = 0
    lives = 0
    #: Faults that really struck, by kind.
    struck: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.injector = Armed()
        self.world = World(self.injector, pace=0.1).__enter__()
        self.stack = self.world.cloudformation
        self.excused: set[str] = set()
        StackLife.lives += 1

    def teardown(self) -> None:
        self.world.__exit__()

    @property
    def can_update(self) -> bool:
        return not self.stack.status.endswith("_FAILED")

    def _do(self, kind: Kind | None, call: int, step) -> None:
        """Take a step with a fault at one of its calls; what a given-up clean-up leaves is noted."""
        given_up = self.stack.given_up
        self.injector.arm(kind, call)
        step()
        if self.injector.struck:
            StackLife.struck[str(kind)] += 1
        self.injector.disarm()
        self.world.wait(60)
        if self.stack.given_up > given_up:
            self.excused |= live_strays(self.world)

    def _live(self) -> set[str]:
        return set(self.world.jobs(*LIVE))

    @initialize()
    def empty_stack(self) -> None:
        self.stack.deploy(None)

    @precondition(lambda self: self.can_update)
    @rule(
        title=jobs,
        source=images,
        preflight=st.sampled_from([True, True, False]),
        tag=st.sampled_from(["x", "y"]),
        removal=st.sampled_from(["Stop", "Stop", "Retain"]),
        other_fails=st.booleans(),
        back=st.booleans(),
        kind=kinds,
        call=calls,
    )
    def deploy(self, *, title, source, preflight, tag, removal, other_fails, back, kind, call) -> None:
        wanted = properties(title, images=source, preflight=preflight, tags={"t": tag}, removal=removal)
        self._do(kind, call, lambda: self.stack.deploy(wanted, other_fails=other_fails, back=back))

    @precondition(lambda self: self.can_update)
    @rule(title=jobs, kind=kinds, call=calls)
    def deploy_of_a_job_that_fails(self, title, kind, call) -> None:
        broken = properties(title, manifest="not-there.manifest")
        self._do(kind, call, lambda: self.stack.deploy(broken))

    @precondition(lambda self: self.can_update and self.stack.resource)
    @rule(kind=kinds, call=calls)
    def deploy_without_the_job(self, kind, call) -> None:
        self._do(kind, call, lambda: self.stack.deploy(None))

    @precondition(lambda self: self.can_update and self.stack.resource)
    @rule()
    def deploy_unchanged(self) -> None:
        before, requests = self._live(), len(self.stack.events)
        assert self.stack.resource
        self.stack.deploy(self.stack.resource.properties)
        assert (self._live(), len(self.stack.events)) == (before, requests)

    @precondition(lambda self: self.stack.status == "UPDATE_ROLLBACK_FAILED")
    @rule(kind=kinds, call=calls)
    def continue_rollback(self, kind, call) -> None:
        self._do(kind, call, self.stack.continue_rollback)

    @rule(kind=kinds, call=calls)
    def destroy(self, kind, call) -> None:
        self._do(kind, call, self.stack.destroy)
        if self.stack.status == "DELETE_COMPLETE":
            assert self._live() <= self.stack.retained | self.excused
        self.stack.deploy(None) if self.stack.status == "DELETE_COMPLETE" else None

    @precondition(lambda self: self.world.jobs(*LIVE))
    @rule(data=st.data())
    def somebody_stops_a_job(self, data) -> None:
        self.world.stop_by_hand(data.draw(st.sampled_from(self.world.jobs(*LIVE))))
        self.world.wait(60)

    @precondition(lambda self: self.world.jobs("InProgress"))
    @rule(data=st.data())
    def a_job_completes(self, data) -> None:
        self.world.complete(data.draw(st.sampled_from(self.world.jobs("InProgress"))))

    @precondition(lambda self: self.world.tags())
    @rule(data=st.data(), value=st.sampled_from(["ada", "grace"]))
    def somebody_tags_a_job(self, data, value) -> None:
        name = data.draw(st.sampled_from(sorted(self.world.tags())))
        self.world.tag(name, {"auto:creator": value})

    @precondition(lambda self: self.stack.events)
    @rule(data=st.data())
    def an_old_event_is_delivered_again(self, data) -> None:
        before, tags = self._live(), self.world.tags()
        self.stack.again(data.draw(st.sampled_from(self.stack.events)))
        self.world.wait(60)
        now = self._live()
        assert now <= before
        assert before - now <= self.excused, "an old event stopped a job"
        # A retained job whose Delete was given up is released by it at last.
        for name in now - self.excused - self.stack.retained:
            assert self.world.tags()[name] == tags[name]

    @invariant()
    def every_live_job_has_its_owner(self) -> None:
        StackLife.steps += 1
        # A rollback that failed goes on when the user says so, and the stack says that it has to.
        if self.stack.status == "UPDATE_ROLLBACK_FAILED":
            return
        assert live_strays(self.world) <= self.excused

    @invariant()
    def what_others_have_tagged_stays(self) -> None:
        assert not untagged(self.world)

    @invariant()
    def the_user_is_told_words(self) -> None:
        assert not bad_texts(self.world)

    @invariant()
    def no_wait_was_past_its_bound(self) -> None:
        assert not self.stack.problems
        assert not self.world.lambda_timeouts

    @invariant()
    def the_response_url_is_never_logged(self) -> None:
        assert "secret" not in self.world.log.getvalue()


def live(lives: int, number: int) -> tuple[int, int, Counter[str]]:
    """Run so many lives, others for each number; lives and steps lived, and faults that struck.

    Raises:
        AssertionError: an invariant didn't hold; hypothesis prints the shortest life that shows it.
    """
    StackLife.steps, StackLife.lives, StackLife.struck = 0, 0, Counter()
    chosen = settings(
        max_examples=lives,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(StackLife), settings=chosen)
    return StackLife.lives, StackLife.steps, StackLife.struck
