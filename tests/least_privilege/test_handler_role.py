"""The handler's role: nothing is missing and nothing is too much."""

from __future__ import annotations

from typing import Any

import pytest

from tests.least_privilege import skipped
from tests.least_privilege.deployed import Deployed, job_of
from tests.least_privilege.handler_run import DeniedError, HandlerRun
from tests.least_privilege.mutations import Mutation, as_list
from tests.least_privilege.proof import prove

pytestmark = pytest.mark.xdist_group("least_privilege_handler")

ROLE = "CdkGroundTruthHandlerRole3043096D"


def test_the_handler_needs_all_it_may_and_may_all_it_needs(deployed: Deployed, record_property: Any) -> None:
    like, policies = deployed.role_of(ROLE)
    with deployed.role_with(like, policies) as (arn, session):
        HandlerRun(deployed, arn, session).life()

    def refusal(mutation: Mutation) -> str:
        with deployed.role_with(like, mutation.policies) as (arn, session):
            try:
                HandlerRun(deployed, arn, session).life(mutation.resources)
            except DeniedError as error:
                return str(error)
        return ""

    prove("the handler's role", policies, refusal, record_property)


@pytest.mark.parametrize("kind", ["Directory", "File"])
@pytest.mark.parametrize("ceiling_alone", [False, True])
def test_what_a_skipped_check_would_ask_is_not_asked(
    deployed: Deployed, kind: str, ceiling_alone: bool
) -> None:
    like, policies = deployed.role_of(ROLE)
    # The construct leaves it out of the role then: tests/constructs/test_preflight.py.
    gone = skipped.ACTIONS | (skipped.OF_BUCKETS if ceiling_alone else set())
    logical_id = job_of(deployed, kind)
    properties = {name: value for name, value in deployed.jobs[logical_id].items() if name != "Preflight"}
    if ceiling_alone:
        properties["Cost"] = {"MaxObjects": "100"}
    else:
        properties["Preflight"] = {"Skip": [*skipped.CHECKS, "image-exists"]}
    with deployed.role_with(like, without(policies, gone)) as (arn, session):
        run = HandlerRun(deployed, arn, session)
        created = run.event(logical_id, "Create", properties)
        assert created["Status"] == "SUCCESS", created["Reason"]
        made = created["PhysicalResourceId"]
        assert run.event(logical_id, "Delete", properties, PhysicalResourceId=made)["Status"] == "SUCCESS"


def without(policies: dict[str, Any], actions: frozenset[str]) -> dict[str, Any]:
    """The policies with none of the actions."""
    left: dict[str, Any] = {}
    for name, document in policies.items():
        statements = [
            {**each, "Action": rest}
            for each in document["Statement"]
            if (rest := [action for action in as_list(each["Action"]) if action not in actions])
        ]
        left[name] = {**document, "Statement": statements}
    return left
