"""The handler's role: nothing is missing and nothing is too much."""

from __future__ import annotations

from typing import Any

import pytest

from tests.least_privilege.deployed import Deployed
from tests.least_privilege.handler_run import DeniedError, HandlerRun
from tests.least_privilege.mutations import Mutation
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
