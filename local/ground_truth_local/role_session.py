"""Sessions of assumed roles, which share their clients: making one takes longer than a hundred requests.

Two hundred jobs have a role each, and simulated workers assume a job's role once a second. A client is made
for each service and Region; with whose credentials it signs is said for each call.
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials

from .inside import InsideSession
from .object_calls import ObjectCalls
from .session import GatewaySession

_acting: contextvars.ContextVar[ReadOnlyCredentials] = contextvars.ContextVar("acting")


class _ActingCredentials(Credentials):  # type: ignore[misc]
    """The credentials of whoever calls now."""

    def __init__(self) -> None:
        super().__init__("", "")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """What a request is signed with."""
        return _acting.get()


class SharedClients:
    """Clients of a service's own, one for each service, Region and configuration.

    Args:
        endpoint_url: the gateway's address.
        transport: sends their requests; `None` for a socket.
    """

    def __init__(self, endpoint_url: str, transport: InsideSession | None) -> None:
        self._endpoint_url, self._transport = endpoint_url, transport
        self._lock = threading.Lock()
        self._session: GatewaySession | None = None
        # A configuration is the same if it is the same object: botocore writes into them.
        self._made: dict[tuple[str, str, Config | None], tuple[Any, ObjectCalls | None]] = {}

    def get(self, service: str, region: str, config: Config | None) -> tuple[Any, ObjectCalls | None]:
        """Return the client, which signs as `_RoleClient` says, and for S3 what is quicker with objects."""
        with self._lock:
            if (service, region, config) not in self._made:
                if self._session is None:
                    self._session = GatewaySession(
                        self._endpoint_url,
                        of_a_service=True,
                        transport=self._transport,
                        credentials=_ActingCredentials(),
                    )
                made = self._session.client(service, region_name=region, config=config)
                inside = self._transport if ObjectCalls.suit(made) else None
                self._made[service, region, config] = made, ObjectCalls(made, inside) if inside else None
            return self._made[service, region, config]


class RoleSession:
    """What of a `boto3.Session` services use, with the credentials of a role."""

    def __init__(self, clients: SharedClients, credentials: ReadOnlyCredentials, region: str) -> None:
        self._clients, self._credentials, self._region = clients, credentials, region

    def client(self, service: str, config: Config | None = None) -> Any:
        """Return a client of a service that signs as the role."""
        return _RoleClient(*self._clients.get(service, self._region, config), self._credentials)


class _RoleClient:
    """A shared client's operations and presigned addresses, as one role."""

    def __init__(self, client: Any, objects: ObjectCalls | None, credentials: ReadOnlyCredentials) -> None:
        self._client, self._objects, self._credentials = client, objects, credentials
        self.meta = client.meta

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # A paginator or waiter would sign when the caller's turn is over.
        if name not in self.meta.method_to_api_mapping and name != "generate_presigned_url":
            raise AttributeError(f"the client of a role has no {name!r}")
        return functools.partial(self._call, name)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if self._objects is not None and not args:
            answer = self._objects.answer(name, kwargs, self._credentials)
            if answer is not None:
                return answer
        token = _acting.set(self._credentials)
        try:
            return getattr(self._client, name)(*args, **kwargs)
        finally:
            _acting.reset(token)
