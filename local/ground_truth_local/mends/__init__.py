"""What MiniStack does otherwise than AWS, put right: one module per matter, each with a contract test.

Each module has ``install()``, which replaces private names of MiniStack in place. Its version is pinned, and
the contract tests in ``tests/local/aws`` fail when a newer one moves what they lean on.
"""

from __future__ import annotations

from ..access import ServiceAccess
from ..service.types import Service
from . import (
    answers,
    batches,
    buckets,
    conditions,
    custom_resources,
    events,
    lambda_files,
    lambdas,
    managed_policies,
    no_root,
    pass_role,
    policy_text,
    simulation,
    sse_kms,
    step_functions,
    workteams,
)

__all__ = ["install"]


def install(service: Service, access: ServiceAccess) -> None:
    """Put everything right; once, before the server starts."""
    mends = (
        no_root,
        sse_kms,
        pass_role,
        policy_text,
        simulation,
        answers,
        batches,
        conditions,
        buckets,
        custom_resources,
        events,
        lambdas,
        lambda_files,
        managed_policies,
    )
    for mend in mends:
        mend.install()
    workteams.install(service)
    step_functions.install(access)
