"""The handler's role: nothing is missing and nothing is too much."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.least_privilege.deployed import Deployed
from tests.least_privilege.handler_run import DeniedError, HandlerRun
from tests.least_privilege.mutations import Mutation, mutations, statements

ROLE = "CdkGroundTruthHandlerRole3043096D"
# Without it S3 says "denied" of a missing image: preflight tells the two apart.
FOR_THE_CAUSE = ("s3:ListBucket",)
# What the Lambda service does with the role: nothing that the handler's code asks for.
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_handler_needs_all_it_may_and_may_all_it_needs(deployed: Deployed, capsys) -> None:
    name, policies = deployed.role_of(ROLE)
    with deployed.role_with(name, policies) as (_, session):
        answers = HandlerRun(deployed, session).life()
    assert [each["Status"] for each in answers].count("SUCCESS") >= 7, answers

    def outcome(mutation: Mutation) -> str:
        with deployed.role_with(name, mutation.policies) as (_, session):
            try:
                HandlerRun(deployed, session).life()
            except DeniedError as error:
                return str(error)
        return ""

    tried = [each for each in mutations(policies) if not set(each.actions) <= BY_LAMBDA]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, tried))
    survivors = [
        each.removed
        for each, why in zip(tried, outcomes, strict=True)
        if not why and each.actions != FOR_THE_CAUSE
    ]
    misnamed = [
        (each.removed, why)
        for each, why in zip(tried, outcomes, strict=True)
        if why and not any(action.partition(":")[2] in why for action in each.actions)
    ]
    with capsys.disabled():
        print(
            f"\nhandler role: {statements(policies)} statements, {len(tried)} mutations,"
            f" {len(tried) - len(survivors)} killed, {len(survivors)} surviving"
        )
    assert not survivors, survivors
    assert not misnamed, misnamed
