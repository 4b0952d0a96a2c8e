"""The body of an object: read in turn, and gone on with where it broke off.

botocore tries a call again, but not the body of its answer: S3's bodies break several times a day in busy
functions (boto/botocore#2764).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from . import log
from .errors import BrokenAnswerError, said
from .patience import pauses
from .transport import TRANSPORT_ERRORS

#: A body may break this often without giving anything in between.
TRIES: Final = 6
_PART: Final = re.compile(r"bytes (\d+)-(\d+)/")


class Body:
    """An object, or a part of it, as a file that can only be read on.

    Args:
        answer_from: `offset → GetObject's answer` for what begins there.
        pause: sleeps so many seconds.
    """

    def __init__(self, answer_from: Callable[[int], Any], pause: Callable[[float], None]) -> None:
        self._answer_from, self._pause = answer_from, pause
        #: Bytes that were read.
        self.position = 0
        #: What the service said of the object first.
        self.first_answer: Any = {}
        self._body: Any = None
        self._left: int | None = None

    def open(self) -> Body:
        """Ask for the object; a refusal is raised here."""
        answer = self._answer_from(self.position)
        self.first_answer = self.first_answer or answer
        self._body = answer["Body"]
        self._left = _length(answer)
        return self

    def read(self, size: int) -> bytes:
        """Up to so many bytes, none at the end."""
        waits = pauses()
        for tried in range(1, TRIES + 1):
            try:
                return self._read(size)
            except TRANSPORT_ERRORS as error:
                self.close()
                if tried == TRIES:
                    raise
                log.action("ReadOn", at=self.position, error=said(error))
            self._pause(next(waits))
        raise AssertionError("the last try returns or raises")

    def read_all(self, size: int) -> bytes:
        """All bytes up to that many."""
        parts, left = [], size
        while left and (part := self.read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Let the connection go."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def _read(self, size: int) -> bytes:
        if self._body is None:
            if self.position and self._left == 0:
                return b""
            self.open()
        data: bytes = self._body.read(size)
        if self._left is not None:
            if not data and self._left and size:
                raise BrokenAnswerError(f"an object's body ends {self._left:,} bytes early")
            self._left -= len(data)
        self.position += len(data)
        return data


def of_object(
    get: Callable[..., Any], pause: Callable[[float], None], *, first: int = 0, last: int | None = None
) -> Body:
    """An object, or a part of it up to its last byte; `get` takes the `Range` of a part."""

    def answer_from(offset: int) -> Any:
        begin, end = first + offset, "" if last is None else last
        return get(**({} if last is None and not begin else {"Range": f"bytes={begin}-{end}"}))

    return Body(answer_from, pause)


def _length(answer: Any) -> int | None:
    """The bytes that were asked for: a proxy that cut a part off may have counted anew what is left."""
    part = _PART.match(answer.get("ContentRange") or "")
    if part is None:
        length: int | None = answer.get("ContentLength")
        return length
    return int(part[2]) - int(part[1]) + 1
