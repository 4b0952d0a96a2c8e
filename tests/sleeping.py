"""Another `time.sleep` for the code that a test runs, and for nobody else in the process.

MiniStack, once a test has imported it, has a thread that sleeps for a minute at a time: it would move a
test's virtual clock, or be killed by it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def by_own_threads(sleep: Callable[[float], object]) -> Callable[[float], None]:
    """A function to put in the place of `time.sleep`; threads that are there already sleep as before."""
    real, others = time.sleep, frozenset(threading.enumerate()) - {threading.current_thread()}

    def chosen(seconds: float) -> None:
        (real if threading.current_thread() in others else sleep)(seconds)

    return chosen
