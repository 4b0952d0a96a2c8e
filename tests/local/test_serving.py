"""Half-open connections end, whoever leaves them; what is at work stays."""

from __future__ import annotations

import asyncio
import socket

import pytest

from ground_truth_local import serving

HALVES = {
    "silence": b"",
    "half a request line": b"GET /qui",
    "half a header": b"GET /quick HTTP/1.1\r\nHost: 127.0.0.1\r\nAcc",
    "a header that never ends": b"GET /quick HTTP/1.1\r\n",
    "a request and a half": b"GET /quick HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /qui",
}


async def app(scope, receive, send) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving, "IDLE_SECONDS", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    with serving.in_thread(app, listener, "half-open"):
        yield address


@pytest.mark.attack("another program of the machine", "the servers' connections", attempts=len(HALVES))
@pytest.mark.parametrize("half", HALVES)
def test_a_half_open_connection_ends(address, half) -> None:
    with socket.create_connection(address, timeout=0.2) as connection:
        connection.sendall(HALVES[half])
        for _ in range(150):
            try:
                if half == "a header that never ends":
                    connection.sendall(b"x-more: 1\r\n")
                if not connection.recv(1_000):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    raise AssertionError("it is still open")


def test_an_answer_may_take_longer(address) -> None:
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = b""
        while not answer.endswith(b"done"):
            part = connection.recv(1_000)
            assert part, answer
            answer += part
