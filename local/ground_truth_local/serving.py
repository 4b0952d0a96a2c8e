"""How each of our servers listens: connections on which nothing comes are ended."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import hypercorn.asyncio
from hypercorn.config import Config

IDLE_SECONDS = 75.0
"""How long a connection may be without a whole request; how long one's body may take is `bodies.py`'s."""


async def serve(
    app: Any, listener: socket.socket, stopping: asyncio.Event, *, graceful_seconds: float
) -> None:
    """Serve an ASGI app on a socket until the event is set.

    Args:
        app: what answers.
        listener: where.
        stopping: ends it.
        graceful_seconds: how long running answers may still take then.
    """
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = IDLE_SECONDS
    config.graceful_timeout = graceful_seconds
    config.loglevel = "WARNING"
    await hypercorn.asyncio.serve(app, config, shutdown_trigger=stopping.wait, mode="asgi")


@contextlib.contextmanager
def in_thread(app: Any, listener: socket.socket, name: str) -> Iterator[None]:
    """Serve an ASGI app for the length of a ``with``, in a thread of that name."""
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(serve(app, listener, stopping, graceful_seconds=1))

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(5)
