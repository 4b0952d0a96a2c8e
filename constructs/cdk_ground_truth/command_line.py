"""What the commands share: exit codes, wrong usage, and clients with the person's own permissions."""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

from ._rooms import handler_module

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
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        sessions = handler_module("clients")
    except ImportError as error:
        raise UsageError(f"boto3 is missing: pip install 'cdk-ground-truth[check]'{instead}") from error
    config = Config(max_pool_connections=_CONNECTIONS, retries={"mode": "standard", "max_attempts": 5})
    clients: dict[str, Any] = {}
    try:
        session = sessions.session(region_name=options.region)
        if not session.region_name:
            raise UsageError(f"no Region; give --region{instead}")
        for service in services:
            clients[service] = session.client(service, endpoint_url=options.endpoint_url, config=config)
        clients["sts"].get_caller_identity()
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UsageError(f"AWS can't be asked: {error}; mend that{instead}") from error
    return clients.__getitem__, str(session.region_name)


class Partly:
    """A client of AWS, of which a command answers some calls itself."""

    def __init__(self, client: Any) -> None:
        self._aws = client

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._aws, operation)


def part_of(body: BinaryIO, asked: str) -> dict[str, Any]:
    """What S3's GetObject answers of a body: all of it, or at most the bytes of the `Range` asked for."""
    size = body.seek(0, io.SEEK_END)
    found = re.match(r"bytes=(\d+)-(\d*)", asked)
    body.seek(int(found[1]) if found else 0)
    if found is None:
        return {"Body": body, "ContentLength": size}
    first, last = int(found[1]), int(found[2] or size - 1)
    with body:
        part = body.read(max(0, last + 1 - first))
    span = f"bytes {first}-{first + len(part) - 1}/{size}"
    return {"Body": io.BytesIO(part), "ContentLength": len(part), "ContentRange": span}
