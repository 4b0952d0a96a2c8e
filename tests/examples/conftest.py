"""An account whose workers label by themselves, and the team that the examples name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ground_truth_local.server import EmbeddedAws


# Not `embedded_aws_options`: a server that another folder's tests have started has theirs.
@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    # With rests a job lasts until the rules on it are made, as any that people label does.
    with EmbeddedAws(simulated_workers=True, seconds_per_task=10.0) as aws:
        yield aws


@pytest.fixture(scope="session")
def aws_session(embedded_aws: EmbeddedAws) -> Any:
    return embedded_aws.session()


@pytest.fixture(scope="session")
def workteam(embedded_aws: EmbeddedAws) -> str:
    return str(embedded_aws.create_workteam("annotators"))
