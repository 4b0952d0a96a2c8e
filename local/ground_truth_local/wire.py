"""What happens on the wire of a real account and never on a laptop's, as options of the server.

Source: boto/botocore#2764 (bodies that break are not tried again), S3 Developer Guide, "Request rate" (503
`SlowDown`), API references, "Common errors" (`ThrottlingException`). That a Lambda in an isolated network
gets no answer at all was measured.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .door import OPERATIONS
from .orders import Orders

Send = Callable[[Any], Awaitable[None]]
#: What SDKs put into their user agent inside a Lambda.
_IN_LAMBDA = "exec-env/AWS_Lambda_"


class BrokenBody(ConnectionError):
    """Ends a connection in the middle of a body; asked for by an option."""


@dataclass(frozen=True)
class Trouble:
    """What befalls one request.

    Attributes:
        hole: nobody ever answers.
        throttled: it comes too fast.
        broken: the body of its answer breaks off.
    """

    hole: bool = False
    throttled: bool = False
    broken: bool = False


class Wire:
    """Decides which request is in trouble; the same ones in each run.

    Args:
        black_holes: services that Lambdas get no answer from, as they sign for them: `iam`, `cognito-idp`, …
        throttle_every: each so many-th request is throttled; 0 for none.
        break_every: each so many-th object that is read breaks off; 0 for none.
    """

    def __init__(
        self, black_holes: tuple[str, ...] = (), *, throttle_every: int = 0, break_every: int = 0
    ) -> None:
        self._usual = (black_holes, throttle_every, break_every)
        self._open = threading.Event()
        self.take(Orders())

    def take(self, orders: Orders) -> None:
        """Do as ordered; where an order says nothing, as from the start. Counts begin anew."""
        black_holes, throttle_every, break_every = self._usual
        self._black_holes = frozenset(orders.black_holes or black_holes)
        self._throttle_every = orders.throttle_every or throttle_every
        self._break_every = orders.break_every or break_every
        self._requests, self._reads = itertools.count(1), itertools.count(1)

    def open(self) -> None:
        """Begin: the account's own set-up is done."""
        self._open.set()

    def trouble(self, method: str, service: str, headers: Mapping[str, str]) -> Trouble:
        """Say what befalls a request."""
        # Whoever orders trouble can also end it.
        is_order = headers.get("x-amz-target", "").removeprefix("SageMaker.") in OPERATIONS
        if not self._open.is_set() or not service or is_order:
            return Trouble()
        if service in self._black_holes and _IN_LAMBDA in headers.get("user-agent", ""):
            return Trouble(hole=True)
        if self._throttle_every and next(self._requests) % self._throttle_every == 0:
            return Trouble(throttled=True)
        reads = self._break_every and service == "s3" and method == "GET"
        return Trouble(broken=bool(reads) and next(self._reads) % self._break_every == 0)


def breaking(send: Send) -> Send:
    """Return a `send` that breaks off in the middle of a body that has more than a byte."""

    async def send_half(message: Any) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) < 2:
            await send(message)
            return
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        raise BrokenBody("The body breaks off here, as the option `break_every` asks.")

    return send_half
