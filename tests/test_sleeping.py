"""A test's clock is moved by the code that it runs alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sleeping import by_own_threads


def test_a_thread_that_was_there_before_sleeps_really(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    slept: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: (go.wait(), time.sleep(0.01)))
        monkeypatch.setattr(time, "sleep", by_own_threads(slept.append))
        go.set()
        waiting.result()
        assert slept == []
    time.sleep(60)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: time.sleep(30)).result()
    assert slept == [60, 30]
