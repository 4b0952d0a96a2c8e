"""S3's objects in memory: the one stand-in of the tests, with what a test needs besides built on it.

Some stand apart, because their behaviour is the point: `tests/labeling_job/test_many_images.py` keeps nothing
that is put, as its memory is measured; `tests/hostile/run.py` streams an endless manifest; `tests/labels`
has clients that count, refuse or break.
"""

from __future__ import annotations

import io
from typing import IO, Any

from botocore.exceptions import ClientError


class NoSuchKey(ClientError):
    """What a client has as `exceptions.NoSuchKey`."""


def service_error(
    operation: str,
    code: str,
    message: str = "no",
    *,
    status: int = 400,
    kind: type[ClientError] = ClientError,
    **headers: str,
) -> ClientError:
    """An error as botocore raises it."""
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return kind({"Error": {"Code": code, "Message": message}, "ResponseMetadata": meta}, operation)


def answer(data: bytes, asked: str = "") -> dict[str, Any]:
    """What GetObject answers for an object, or for the part of it that a Range header asks for."""
    if not asked:
        return {"Body": io.BytesIO(data), "ContentLength": len(data)}
    first, last = map(int, asked.removeprefix("bytes=").split("-"))
    if first >= len(data):
        raise service_error("GetObject", "InvalidRange", status=416)
    part = data[first : last + 1]
    span = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
    return {"Body": io.BytesIO(part), "ContentLength": len(part), "ContentRange": span}


class Objects:
    """Buckets in memory; all that is asked for exists, or the client raises as botocore does."""

    class exceptions:
        NoSuchKey = NoSuchKey

    def __init__(self, objects: dict[tuple[str, str], bytes] | None = None) -> None:
        self.objects: dict[tuple[str, str], bytes] = dict(objects or {})

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise service_error("GetObject", "NoSuchKey", status=404, kind=NoSuchKey)
        return answer(self.objects[Bucket, Key], Range)

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            # A HEAD's answer has no body, and so no code but its status.
            raise service_error("HeadObject", "404", status=404)
        return {"ContentLength": len(self.objects[Bucket, Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes | str | IO[bytes], **_: Any) -> dict[str, Any]:
        data = Body.encode() if isinstance(Body, str) else Body
        self.objects[Bucket, Key] = data if isinstance(data, bytes) else data.read()
        return {}
