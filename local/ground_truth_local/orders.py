"""What simulated workers and the wire are told while the server runs: a test orders its failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_COUNTS = (
    "throttle_every",
    "break_every",
    "short_every",
    "bare_403_every",
    "iam_spread_seconds",
    "s3_spread_seconds",
)


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What holds from now on; what isn't said is as after a start.

    Attributes:
        work: whether simulated workers take tasks.
        seed: what they paint follows from it and the picture.
        accuracy: share of the pixels that a worker gets as all workers see them, 0 to 1.
        declines: patterns of keys (`*` and `?` as in a shell) of images that every worker declines.
        images: they do only the first so many images of each job; None for all.
        throttle_every: each so many-th request is throttled; 0 for none.
        break_every: each so many-th object that is read breaks off; 0 for none.
        short_every: each so many-th object that is read comes without its second half; 0 for none.
        bare_403_every: each so many-th request of a Lambda's to S3 is a bare 403; 0 for none.
        iam_spread_seconds: how long what is new in a role doesn't work yet.
        s3_spread_seconds: how long a bucket's configuration is seen as before.
        black_holes: services that Lambdas get no answer from.
    """

    work: bool = True
    seed: int = 0
    accuracy: float = 1.0
    declines: tuple[str, ...] = ()
    images: int | None = None
    throttle_every: int = 0
    break_every: int = 0
    short_every: int = 0
    bare_403_every: int = 0
    iam_spread_seconds: float = 0.0
    s3_spread_seconds: float = 0.0
    black_holes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy <= 1:
            raise ValueError(f"accuracy is a share, 0 to 1, got {self.accuracy!r}")
        for name in _COUNTS:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is 0 or more, got {getattr(self, name)!r}")

    def to_body(self) -> dict[str, Any]:
        """For the administrator's door."""
        return asdict(self)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Orders:
        """Read what `to_body` made.

        Raises:
            ValueError: it is none.
        """
        given: dict[str, Any] = {
            name: tuple(value) if name in ("declines", "black_holes") else value
            for name, value in body.items()
        }
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"no orders: {error}") from error
