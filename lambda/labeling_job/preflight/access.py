"""Reads of S3, each bounded in bytes, with what can go wrong reduced to a few words."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..errors import code_of, said
from ..rules.places import Place

MISSING: Final = "missing"
NO_BUCKET: Final = "no bucket"
DENIED: Final = "denied"
KEY_DENIED: Final = "key"
ARCHIVED: Final = "archived"
ELSEWHERE: Final = "other Region"
FAILED: Final = "failed"

_KINDS = {
    "NoSuchKey": MISSING,
    "NotFound": MISSING,
    "404": MISSING,
    "NoSuchBucket": NO_BUCKET,
    "AccessDenied": DENIED,
    "AccessDeniedException": DENIED,
    "AllAccessDisabled": DENIED,
    "Forbidden": DENIED,
    "403": DENIED,
    "InvalidObjectState": ARCHIVED,
    "PermanentRedirect": ELSEWHERE,
    "301": ELSEWHERE,
    "AuthorizationHeaderMalformed": ELSEWHERE,
    "IncorrectEndpoint": ELSEWHERE,
}
_SETTLE_SECONDS = 20.0
_SETTLE_PAUSE = 2.0


class ReadError(Exception):
    """An object can't be read: which kind of reason, and the service's words."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some bytes of an object, and what S3 says of the whole."""

    data: bytes
    size: int


class Reader:
    """S3 for preflight.

    A role that the same deploy made seconds ago may not be known everywhere yet: until a bucket has
    answered once, "denied" is asked again for a while.
    """

    def __init__(
        self,
        s3: Any,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        settle: float | None = None,
    ) -> None:
        self.s3 = s3
        self._sleep, self._clock = sleep, clock
        self._deadline = clock() + (_SETTLE_SECONDS if settle is None else settle)
        self._answered: set[str] = set()
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes = 0
        #: Customer keys with which what was read is encrypted.
        self.keys: set[str] = set()

    def piece(self, place: Place, first: int, length: int) -> Piece:
        """At most ``length`` bytes from ``first``.

        Raises:
            ReadError: there is no such object, or it can't be read.
        """
        span = f"bytes={first}-{first + length - 1}"
        try:
            answer = self.settled(
                place.bucket, lambda: self.s3.get_object(Bucket=place.bucket, Key=place.key, Range=span)
            )
            body = answer["Body"]
            try:
                data = body.read(length)
            finally:
                body.close()
        except Exception as error:
            if code_of(error) in ("InvalidRange", "416"):
                return Piece(data=b"", size=first)
            raise as_read_error(error) from error
        self._count(answer, len(data))
        return Piece(data=data, size=_size(answer, len(data)))

    def whole(self, place: Place, *, limit: int) -> bytes:
        """An object; one of more than ``limit`` bytes is a `ReadError` too."""
        piece = self.piece(place, 0, limit + 1)
        if len(piece.data) > limit:
            raise ReadError(FAILED, f"it has {piece.size:,} bytes, at most {limit:,} are read")
        return piece.data

    def stream(self, place: Place) -> Any:
        """An object's body; errors as of `piece`."""
        try:
            answer = self.settled(
                place.bucket, lambda: self.s3.get_object(Bucket=place.bucket, Key=place.key)
            )
        except Exception as error:
            raise as_read_error(error) from error
        self._count(answer, 0)
        return answer["Body"]

    def _count(self, answer: Any, size: int) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += size
            if answer.get("SSEKMSKeyId"):
                self.keys.add(answer["SSEKMSKeyId"])

    def settled(self, bucket: str, call: Callable[[], Any]) -> Any:
        """Call; while the handler's own permissions may still be spreading, call again when denied."""
        while True:
            try:
                answer = call()
            except Exception as error:
                if kind_of(error) != DENIED or bucket in self._answered or not self.wait():
                    raise
                continue
            self._answered.add(bucket)
            return answer

    def wait(self) -> bool:
        """Wait a little where "denied" may still pass; whether it may."""
        if self._clock() >= self._deadline:
            return False
        self._sleep(_SETTLE_PAUSE)
        return True


def kind_of(error: Exception) -> str:
    """The kind of reason behind a service's error."""
    code = code_of(error)
    if code.startswith("KMS.") or (_KINDS.get(code) == DENIED and "kms" in str(error).lower()):
        return KEY_DENIED
    return _KINDS.get(code, FAILED)


def as_read_error(error: Exception) -> ReadError:
    """The error as preflight tells it."""
    return error if isinstance(error, ReadError) else ReadError(kind_of(error), said(error))


def _size(answer: Any, read: int) -> int:
    match = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.get("ContentRange", ""))
    return int(match[1]) if match else int(answer.get("ContentLength", read))
