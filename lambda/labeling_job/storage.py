"""S3 as staging needs it: what passes is waited out, and a body that breaks off is gone on with."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import IO, Any, TypeVar

from botocore.exceptions import ClientError

from .bodies import Body, of_object
from .errors import DENIED_CODES, MISSING_CODES, BrokenAnswerError, code_of
from .patience import Patience

_Answer = TypeVar("_Answer")

#: An object that was written on a condition has this mark: by it the writer knows its own.
_MARK = "written-by"


class Storage:
    """Buckets behind a boto3 S3 client."""

    def __init__(self, s3: Any, patience: Patience) -> None:
        self._s3, self._patience = s3, patience

    def listed(self, bucket: str, prefix: str, **options: str) -> Any:
        """One page of objects."""
        return self._patience.insist(
            lambda: self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, **options)
        )

    def pages(self, bucket: str, prefix: str) -> Iterator[Any]:
        """All pages of objects below a prefix."""
        page = self.listed(bucket, prefix)
        yield page
        while page.get("IsTruncated"):
            page = self.listed(bucket, prefix, ContinuationToken=page["NextContinuationToken"])
            yield page

    def objects(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys and sizes below a prefix."""
        for page in self.pages(bucket, prefix):
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]

    def put(self, bucket: str, key: str, body: bytes | IO[bytes], *, content_type: str) -> None:
        """Write an object, unless this invocation is about to end."""
        self._patience.check(f"objects are still copied to {bucket}")
        self._put(bucket, key, body, ContentType=content_type)

    def put_if(
        self, bucket: str, key: str, body: bytes | IO[bytes], condition: Mapping[str, str], **more: Any
    ) -> bool:
        """Write an object only where the condition holds (`IfMatch`, `IfNoneMatch`); whether it was written.

        A write whose answer was lost is tried again and then meets itself: it is known by a mark.
        """
        self._patience.check(f"{key} is still to be written to {bucket}")
        mark = uuid.uuid4().hex
        metadata = {**more.pop("Metadata", {}), _MARK: mark}
        try:
            self._put(bucket, key, body, Metadata=metadata, **condition, **more)
        except ClientError as error:
            if code_of(error) not in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412"):
                raise
            there = self.head(bucket, key)
            return there is not None and there.get("Metadata", {}).get(_MARK) == mark
        return True

    def _put(self, bucket: str, key: str, body: bytes | IO[bytes], **more: Any) -> None:
        def put() -> None:
            if not isinstance(body, bytes):
                body.seek(0)
            self._s3.put_object(Bucket=bucket, Key=key, Body=body, **more)

        self._patience.insist(put)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that isn't there is none."""
        self._patience.insist(lambda: self._s3.delete_object(Bucket=bucket, Key=key))

    def head(self, bucket: str, key: str) -> Mapping[str, Any] | None:
        """What S3 says of an object; None where there is none."""
        return _if_there(lambda: self._patience.insist(lambda: self._s3.head_object(Bucket=bucket, Key=key)))

    def opened(self, bucket: str, key: str) -> Body | None:
        """An object's body, to be read on; None where there is none."""
        return _if_there(lambda: self.stream(bucket, key))

    def modified(self, bucket: str, key: str) -> datetime | None:
        """When an object was last written; None where there is none, or this may not be asked."""
        try:
            answer = self.head(bucket, key) or {}
        except ClientError as error:
            if code_of(error) in DENIED_CODES:
                return None
            raise
        found = answer.get("LastModified")
        return found if isinstance(found, datetime) else None

    def size(self, bucket: str, key: str) -> int:
        """An object's bytes."""

        def ask() -> int:
            answer = self._s3.head_object(Bucket=bucket, Key=key)
            if "ContentLength" not in answer:
                raise BrokenAnswerError(f"S3 doesn't say how long s3://{bucket}/{key} is")
            return int(answer["ContentLength"])

        return self._patience.insist(ask)

    def read(self, bucket: str, key: str, first: int, length: int) -> bytes:
        """Up to so many bytes from `first` on."""
        body = self._body(bucket, key, first, first + length - 1)
        try:
            return body.read_all(length)
        finally:
            body.close()

    def stream(self, bucket: str, key: str) -> Body:
        """An object's body, to be read on."""
        return self._body(bucket, key, 0).open()

    def _body(self, bucket: str, key: str, first: int, last: int | None = None) -> Body:
        def get(**span: str) -> Any:
            return self._patience.insist(lambda: self._s3.get_object(Bucket=bucket, Key=key, **span))

        def pause(seconds: float) -> None:
            self._patience.pause(seconds, "an object's body breaks off")

        return of_object(get, pause, first=first, last=last)


def _if_there(ask: Callable[[], _Answer]) -> _Answer | None:
    """The answer about an object; None where there is none."""
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in MISSING_CODES:
            return None
        raise


class ObjectFile(io.RawIOBase):
    """An object as a seekable file, read in ranges: an archive is neither held in memory nor on disk."""

    def __init__(self, storage: Storage, bucket: str, key: str) -> None:
        self._storage, self._bucket, self._key = storage, bucket, key
        self._size = storage.size(bucket, key)
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go somewhere else; nothing is asked for."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the object goes."""
        length = min(len(buffer), self._size - self._position)
        if length <= 0:
            return 0
        data = self._storage.read(self._bucket, self._key, self._position, length)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
