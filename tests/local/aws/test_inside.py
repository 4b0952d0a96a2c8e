"""What services ask of each other: answered where they ask, signed by whoever they act for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ConnectionClosedError

from ground_truth_local.durability import changes_state
from ground_truth_local.inside import InsideSession
from ground_truth_local.role_session import RoleSession, SharedClients

ONCE = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})


class App:
    """An ASGI app that notes who asked, and in which thread; it waits before a key `wait` is answered."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, threading.Thread, str, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/wait"):
            await asyncio.sleep(0)
        message = await receive()
        signed = dict(scope["headers"])[b"authorization"].decode()
        self.asked.append((scope["path"], threading.current_thread(), signed, message["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"e"')]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def clients(app: App) -> Iterator[SharedClients]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield SharedClients("http://127.0.0.1:1", InsideSession(app, loop))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def role(clients: SharedClients, name: str) -> RoleSession:
    return RoleSession(clients, ReadOnlyCredentials(name, "secret", "token"), "eu-west-1")


def test_an_object_is_answered_in_the_thread_that_asks_and_a_bucket_in_the_servers(
    app: App, clients: SharedClients
) -> None:
    s3 = role(clients, "AKIAONE").client("s3", ONCE)
    s3.put_object(Bucket="bucket", Key="folder/a.png", Body=b"picture")
    s3.head_bucket(Bucket="bucket")
    (of_object, here, _, body), (of_bucket, there, *_) = app.asked
    assert (of_object, body, here) == ("/bucket/folder/a.png", b"picture", threading.current_thread())
    assert of_bucket == "/bucket"
    assert there is not threading.current_thread()


def test_what_only_the_server_could_answer_is_an_error_and_no_half_answer(
    app: App, clients: SharedClients
) -> None:
    with pytest.raises(ConnectionClosedError):
        role(clients, "AKIAONE").client("s3", ONCE).get_object(Bucket="bucket", Key="wait")
    assert app.asked == []


def test_roles_share_a_client_and_each_signs_as_itself(app: App, clients: SharedClients) -> None:
    names = [f"AKIA{number:04}" for number in range(8)]

    def write(name: str) -> None:
        for _ in range(5):
            role(clients, name).client("s3", ONCE).put_object(Bucket="bucket", Key=name, Body=b"")

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(write, names))
    assert len(app.asked) == 40
    assert all(f"Credential={path.rpartition('/')[2]}/" in signed for path, _, signed, _ in app.asked)
    assert len(clients._made) == 1
    url = (
        role(clients, "AKIATWO")
        .client("s3", ONCE)
        .generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    )
    assert "AKIATWO" in url


def test_a_paginator_of_a_role_is_refused_because_nobody_would_sign_its_pages(clients: SharedClients) -> None:
    with pytest.raises(AttributeError, match="get_paginator"):
        role(clients, "AKIAONE").client("s3", ONCE).get_paginator("list_objects_v2")


@pytest.mark.parametrize(
    ("method", "path", "service", "action", "waits"),
    [
        ("POST", "/", "iam", "CreateRole", True),
        ("POST", "/", "logs", "CreateLogGroup", True),
        ("POST", "/", "logs", "PutLogEvents", False),
        ("POST", "/", "logs", "PutRetentionPolicy", True),
        ("POST", "/service/G/operation/PutMetricData", "monitoring", "PutMetricData", False),
        ("POST", "/service/G/operation/PutMetricAlarm", "monitoring", "PutMetricAlarm", True),
        ("PUT", "/bucket", "s3", "", True),
        ("PUT", "/bucket/a", "s3", "", False),
        ("GET", "/bucket", "s3", "", False),
    ],
)
def test_an_answer_waits_for_the_disk_where_it_thanks_for_a_change(
    method: str, path: str, service: str, action: str, waits: bool
) -> None:
    assert changes_state(method, path, service, action) is waits
