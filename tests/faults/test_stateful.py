"""A few of the random lives; `python -m tests.faults --lives 1000` is the long run."""

from __future__ import annotations

from tests.deep import deep
from tests.faults.faults import Kind
from tests.faults.lives import STEPS, live

LIVES = deep(40, 110)
SEED = 2_026


def test_every_live_job_has_its_owner_in_random_lives(record_property) -> None:
    lives, steps, struck = live(LIVES, SEED)
    record_property("told", f"Random lives: {lives} lives, {steps:,} steps, {struck.total()} faults struck")
    assert lives >= LIVES and steps >= LIVES * STEPS // 2
    for kind in (Kind.LATE_IAM, Kind.LATE_CONFIGURATION, Kind.BODY_BREAKS):
        assert struck[str(kind)], kind
