"""What the commands share: exit codes, wrong usage, and clients with the person's own permissions."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, Final

OK: Final = 0
FOUND: Final = 1
USAGE: Final = 2

_CONNECTIONS: Final = 32


class UsageError(Exception):
    """The command can't run; the message says what to give it."""


def connect(options: argparse.Namespace, services: Sequence[str]) -> tuple[Callable[[str], Any], str]:
    """Clients with the person's own permissions, and the Region.

    Raises:
        UsageError: no boto3, no Region, no credentials, or none that AWS takes.
    """
    instead = ", or --offline" if hasattr(options, "offline") else ""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise UsageError(f"boto3 is missing: pip install 'cdk-ground-truth[check]'{instead}") from error
    config = Config(max_pool_connections=_CONNECTIONS, retries={"mode": "standard", "max_attempts": 5})
    clients: dict[str, Any] = {}
    try:
        session = boto3.Session(region_name=options.region)
        if not session.region_name:
            raise UsageError(f"no Region; give --region{instead}")
        for service in services:
            clients[service] = session.client(service, endpoint_url=options.endpoint_url, config=config)
        clients["sts"].get_caller_identity()
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UsageError(f"AWS can't be asked: {error}; mend that{instead}") from error
    return clients.__getitem__, str(session.region_name)
