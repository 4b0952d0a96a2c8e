"""AWS clients, each made when it is first needed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from labeling_job import clients
from labeling_job.entry import config_of
from labeling_job.patience import Patience

_clients: dict[str, Any] = {}


def client(service: str) -> Any:
    """The client of a service, the same each time."""
    if service not in _clients:
        _clients[service] = clients.client(service, config_of(service))
    return _clients[service]


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def patience_of(context: Any) -> Patience:
    """How long an invocation may take."""
    return Patience(remaining_ms=context.get_remaining_time_in_millis, sleep=time.sleep, now=now)
