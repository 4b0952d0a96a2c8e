"""What happens on the wire of a real account and never on a laptop's, as options of the server.

Source: boto/botocore#2764 (bodies that break are not tried again), S3 Developer Guide, "Request rate" (503
`SlowDown`), API references, "Common errors" (`ThrottlingException`). That a Lambda in an isolated network
gets no answer at all was measured. S3 API Reference, HeadObject: a refusal has no body. That a proxy between
a Lambda and S3 refuses in this way, or counts anew what it has cut off, is assumed.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .door import OPERATIONS
from .orders import Orders
from .session import OF_A_SERVICE

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
        short: its answer lacks the second half of the body, and says that it is whole.
        bare: it is refused without a word.
    """

    hole: bool = False
    throttled: bool = False
    broken: bool = False
    short: bool = False
    bare: bool = False


class _Each:
    """Counts, and says of each so many-th that it is one; of none if that is 0."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._seen = itertools.count(1)

    def next(self) -> bool:
        return bool(self._every) and next(self._seen) % self._every == 0


class Wire:
    """Decides which request is in trouble; the same ones in each run.

    Args:
        black_holes: services that Lambdas get no answer from, as they sign for them: `iam`, `cognito-idp`, …
        throttle_every: each so many-th request is throttled; 0 for none.
        break_every: each so many-th object that is read breaks off; 0 for none.
        short_every: each so many-th object that is read lacks its second half; 0 for none.
        bare_403_every: each so many-th request of a Lambda's to S3 is refused without a word; 0 for none.
    """

    def __init__(
        self,
        black_holes: tuple[str, ...] = (),
        *,
        throttle_every: int = 0,
        break_every: int = 0,
        short_every: int = 0,
        bare_403_every: int = 0,
    ) -> None:
        self._usual = Orders(
            black_holes=black_holes,
            throttle_every=throttle_every,
            break_every=break_every,
            short_every=short_every,
            bare_403_every=bare_403_every,
        )
        self._open = threading.Event()
        self.take(Orders())

    def take(self, orders: Orders) -> None:
        """Do as ordered; where an order says nothing, as from the start. Counts begin anew."""
        usual = self._usual
        self._black_holes = frozenset(orders.black_holes or usual.black_holes)
        self._throttled = _Each(orders.throttle_every or usual.throttle_every)
        self._broken = _Each(orders.break_every or usual.break_every)
        self._short = _Each(orders.short_every or usual.short_every)
        self._bare = _Each(orders.bare_403_every or usual.bare_403_every)

    def open(self) -> None:
        """Begin: the account's own set-up is done."""
        self._open.set()

    def trouble(self, method: str, service: str, headers: Mapping[str, str]) -> Trouble:
        """Say what befalls a request."""
        # Whoever orders trouble can also end it.
        is_order = headers.get("x-amz-target", "").removeprefix("SageMaker.") in OPERATIONS
        agent = headers.get("user-agent", "")
        if not self._open.is_set() or not service or is_order or OF_A_SERVICE in agent:
            return Trouble()
        of_lambda = _IN_LAMBDA in agent
        if of_lambda and service in self._black_holes:
            return Trouble(hole=True)
        if self._throttled.next():
            return Trouble(throttled=True)
        if of_lambda and service == "s3" and self._bare.next():
            return Trouble(bare=True)
        reads = service == "s3" and method == "GET"
        return Trouble(broken=reads and self._broken.next(), short=reads and self._short.next())


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


def shortening(send: Send) -> Send:
    """Return a `send` that leaves out the second half of a body and announces the first as all of it."""
    left: int | None = None

    async def send_first_half(message: Any) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message["headers"]}
            size = int(headers.get(b"content-length", b"0"))
            if message["status"] < 300 and size > 1:
                left = size // 2
                headers[b"content-length"] = str(left).encode()
                message = {**message, "headers": list(headers.items())}
            await send(message)
            return
        if left is None:
            await send(message)
            return
        body = message.get("body", b"")[:left]
        ended, left = left == 0, left - len(body)
        if not ended:
            await send({**message, "body": body, "more_body": left > 0})

    return send_first_half
