"""Clients that remember which service gave no answer.

In a VPC without a way to a service, each call takes as long as its tries: a dozen of them would take the
invocation. The first one is waited for; the others fail at once, with the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ConnectionError as ConnectionFailed
from botocore.exceptions import HTTPClientError

from .errors import UnreachableError, said


class Reachable:
    """Makes such clients.

    Args:
        client: a service's name → its boto3 client.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._made: dict[str, _Client] = {}

    def __call__(self, service: str) -> Any:
        """The client of a service, the same each time."""
        if service not in self._made:
            self._made[service] = _Client(self._client(service))
        return self._made[service]


class _Client:
    def __init__(self, client: Any) -> None:
        self._client = client
        self._unreachable = ""

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)
        if not callable(member):
            return member

        def call(**request: Any) -> Any:
            if self._unreachable:
                raise UnreachableError(self._unreachable)
            try:
                return member(**request)
            except (ConnectionFailed, HTTPClientError) as error:
                self._unreachable = said(error)
                raise UnreachableError(self._unreachable) from error

        return call
