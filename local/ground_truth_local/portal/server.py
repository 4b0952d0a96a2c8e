"""Listens for the portal, beside the gateway in the same process."""

from __future__ import annotations

import asyncio
import socket

from ..console.account import Account
from ..console.app import Console
from ..service.api import GroundTruthService
from ..service.teams import Directory, nobody
from ..serving import serve
from ..settings import HOST
from .app import Portal


class PortalServer:
    """The portal on a port of its own.

    Args:
        service: the Ground Truth service of this process.
        gateway: the gateway's address.
        directory: tells the users of a Cognito group.
        port: the port to listen on; 0 takes a free one.
        real_elements: let templates load the real crowd-html-elements.js from the network.
        account: what the author's console shows; none without it.
        console_key: opens the console.
    """

    def __init__(
        self,
        service: GroundTruthService,
        *,
        gateway: str,
        directory: Directory = nobody,
        port: int = 0,
        real_elements: bool = False,
        account: Account | None = None,
        console_key: str = "",
    ) -> None:
        self._listener = socket.create_server((HOST, port), backlog=128)
        taken = self._listener.getsockname()[1]
        self.url = f"http://{HOST}:{taken}"
        hosts = frozenset({f"{HOST}:{taken}", f"localhost:{taken}"})
        self._app = Portal(
            service,
            port=taken,
            gateway=gateway,
            directory=directory,
            console=Console(account, hosts=hosts, port=taken, key=console_key) if account else None,
            real_elements=real_elements,
        )

    async def serve(self, stopping: asyncio.Event) -> None:
        """Serve until the event is set."""
        # Browsers keep connections open for the next click; nothing of theirs is worth waiting for.
        await serve(self._app, self._listener, stopping, graceful_seconds=1)
