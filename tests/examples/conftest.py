"""An account whose workers label by themselves, and the team that the examples name."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def embedded_aws_options() -> dict[str, Any]:
    # With rests a job lasts until the rules on it are made, as any that people label does.
    return {"simulated_workers": True, "seconds_per_task": 10.0}


@pytest.fixture(scope="session")
def workteam(embedded_aws: Any) -> str:
    return str(embedded_aws.create_workteam("annotators"))
