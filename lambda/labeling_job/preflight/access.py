"""Reads of S3, each bounded in bytes, with what can go wrong reduced to a few words."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..bodies import Body, of_object
from ..errors import DENIED_CODES, MISSING_CODES, code_of, said
from ..patience import pauses
from ..rules.places import Place
from ..transport import AWS_ERRORS

MISSING: Final = "missing"
NO_BUCKET: Final = "no bucket"
DENIED: Final = "denied"
KEY_DENIED: Final = "key"
ARCHIVED: Final = "archived"
ELSEWHERE: Final = "other Region"
FAILED: Final = "failed"

_KINDS = {
    **dict.fromkeys(MISSING_CODES, MISSING),
    "NoSuchBucket": NO_BUCKET,
    **dict.fromkeys(DENIED_CODES, DENIED),
    "InvalidObjectState": ARCHIVED,
    "PermanentRedirect": ELSEWHERE,
    "301": ELSEWHERE,
    "AuthorizationHeaderMalformed": ELSEWHERE,
    "IncorrectEndpoint": ELSEWHERE,
}
_SETTLE_SECONDS = 20.0


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

    A role, a policy or a bucket's configuration that the same deploy made seconds ago may not be known
    everywhere yet: "denied" and "there is none" are asked again for a while, which is one for all calls.
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
        self._waits = pauses()
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes = 0
        #: Customer keys with which what was read is encrypted → the buckets where they were met.
        self.keys: dict[str, set[str]] = {}

    def piece(self, place: Place, first: int, length: int) -> Piece:
        """At most ``length`` bytes from ``first``.

        Raises:
            ReadError: there is no such object, or it can't be read.
        """
        body = self._body(place, first, first + length - 1)
        try:
            data = body.open().read_all(length)
        except AWS_ERRORS as error:
            if code_of(error) in ("InvalidRange", "416"):
                return Piece(data=b"", size=first)
            raise as_read_error(error) from error
        finally:
            body.close()
        answer = body.first_answer
        self._count(place, answer, len(data))
        return Piece(data=data, size=_size(answer, len(data)))

    def whole(self, place: Place, *, limit: int) -> bytes:
        """An object; one of more than ``limit`` bytes is a `ReadError` too."""
        piece = self.piece(place, 0, limit + 1)
        if len(piece.data) > limit:
            raise ReadError(FAILED, f"it has {piece.size:,} bytes, at most {limit:,} are read")
        return piece.data

    def stream(self, place: Place) -> Body:
        """An object's body; errors as of `piece`."""
        body = self._body(place, 0)
        try:
            body.open()
        except AWS_ERRORS as error:
            raise as_read_error(error) from error
        self._count(place, body.first_answer, 0)
        return body

    def _body(self, place: Place, first: int, last: int | None = None) -> Body:
        def get(**span: str) -> Any:
            return self.settled(lambda: self.s3.get_object(Bucket=place.bucket, Key=place.key, **span))

        return of_object(get, self._sleep, first=first, last=last)

    def _count(self, place: Place, answer: Any, size: int) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += size
            if answer.get("SSEKMSKeyId"):
                self.keys.setdefault(answer["SSEKMSKeyId"], set()).add(place.bucket)

    def settled(self, call: Callable[[], Any], *, also: tuple[str, ...] = ()) -> Any:
        """Call; while what the same deploy made may still be spreading, call again when it isn't there yet.

        Args:
            call: asks a service.
            also: codes that mean so, beside those of a denial.
        """
        while True:
            try:
                return call()
            except AWS_ERRORS as error:
                passes = kind_of(error) in (DENIED, KEY_DENIED) or code_of(error) in also
                if not passes or not self.wait():
                    raise

    def wait(self) -> bool:
        """Wait a little where "denied" may still pass; whether it may."""
        left = self._deadline - self._clock()
        if left <= 0:
            return False
        with self._lock:
            seconds = next(self._waits)
        self._sleep(min(seconds, left))
        return True


def kind_of(error: BaseException) -> str:
    """The kind of reason behind a service's error."""
    code = code_of(error)
    if code.startswith("KMS.") or (_KINDS.get(code) == DENIED and "kms" in str(error).lower()):
        return KEY_DENIED
    return _KINDS.get(code, FAILED)


def as_read_error(error: BaseException) -> ReadError:
    """The error as preflight tells it."""
    return error if isinstance(error, ReadError) else ReadError(kind_of(error), said(error))


def _size(answer: Any, read: int) -> int:
    match = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.get("ContentRange", ""))
    return int(match[1]) if match else int(answer.get("ContentLength", read))
