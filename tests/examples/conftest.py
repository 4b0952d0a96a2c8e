"""An account whose workers label by themselves, and the team that the examples name."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def embedded_aws_options() -> dict[str, Any]:
    return {"simulated_workers": True}


@pytest.fixture(scope="session")
def workteam(embedded_aws: Any) -> str:
    return str(embedded_aws.create_workteam("annotators"))
