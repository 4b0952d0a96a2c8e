"""One way to read, list and atomically write objects, in folders and in S3 (any endpoint)."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from .errors import LabelsError, LimitError, MissingError, StorageError
from .limits import DEFAULT_LIMITS, Limits

_CHUNK = 1 << 20


@contextlib.contextmanager
def told(location: str, what: str, kind: type[LabelsError] = StorageError) -> Iterator[None]:
    """Turns every error of a disk or of S3 into one sentence about `location`: the one place that does."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except LabelsError:
        raise
    except NoCredentialsError as error:
        raise kind(f"{location}: {what}: there are no AWS credentials here") from error
    except OSError as error:
        raise kind(f"{location}: {what}: {error.strerror or error}") from error
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise kind(f"{location}: {what}: {error}") from error
    except (ValueError, UnicodeError) as error:
        # An endpoint or a bucket that is none, a name that no disk can hold.
        raise kind(f"{location}: {what}: {error}") from error


def is_s3(location: str) -> bool:
    """Whether `location` is an `s3://` URI."""
    return location.startswith("s3://")


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://bucket/key` URI; the key may be empty."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def join(base: str, *parts: str) -> str:
    """`base` (folder or S3 prefix) with parts below it, in the form of `base`."""
    if is_s3(base):
        return "/".join([base.rstrip("/"), *parts])
    return str(Path(base, *parts))


def parent(location: str) -> str:
    """The folder or S3 prefix that holds `location`."""
    if not is_s3(location):
        return str(Path(location).parent)
    bucket, key = split_s3(location)
    head = key.rstrip("/").rpartition("/")[0]
    return f"s3://{bucket}/{head}" if head else f"s3://{bucket}"


class Storage:
    """Folders and S3 behind the same five verbs. Safe to share between threads.

    Args:
        endpoint_url: S3 endpoint, for example an embedded one. Default: as boto3 finds it (environment,
            profile, Region).
        client: A ready boto3 S3 client. Default: made when an `s3://` location is first used.
        limits: Sizes above which a file is refused before it is read. Default: `DEFAULT_LIMITS`.
    """

    def __init__(
        self, *, endpoint_url: str | None = None, client: Any = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.endpoint_url = endpoint_url
        self.limits = limits
        self._client = client
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Storage(endpoint_url={self.endpoint_url!r})"

    def __getstate__(self) -> dict[str, object]:
        # A client holds sockets and locks: a copy in another process makes its own.
        return {"endpoint_url": self.endpoint_url, "limits": self.limits}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def s3(self) -> Any:
        """The boto3 S3 client."""
        with self._lock:
            if self._client is None:
                import boto3

                self._client = boto3.client("s3", endpoint_url=self.endpoint_url)
            return self._client

    @contextlib.contextmanager
    def open(self, location: str) -> Iterator[BinaryIO]:
        """A binary stream of an object of any size.

        Raises:
            MissingError: It does not exist or may not be read.
        """
        if is_s3(location):
            with self._get(location)["Body"] as body:
                yield cast(BinaryIO, body)
            return
        try:
            stream = Path(location).open("rb")  # noqa: SIM115 - closed below; the try is for opening alone
        except OSError as error:
            raise MissingError(f"{location}: cannot be read: {error.strerror or error}") from error
        with stream:
            yield stream

    def read(self, location: str, *, head: int | None = None) -> bytes:
        """The bytes of an object, or the first `head` bytes.

        Raises:
            LimitError: It is larger than `limits.file_bytes`.
            MissingError: It does not exist or may not be read.
        """
        if is_s3(location):
            reply = self._get(location, **({"Range": f"bytes=0-{head - 1}"} if head else {}))
            if not head:
                self._check_size(location, reply["ContentLength"])
            # A body can break off after its answer came.
            with told(location, "cannot be read", MissingError), reply["Body"] as body:
                return bytes(body.read())
        with self.open(location) as stream:
            if head:
                return stream.read(head)
            self._check_size(location, os.fstat(stream.fileno()).st_size)
            # A limit on the read itself too: a device or a growing file has no honest size.
            return stream.read(self.limits.file_bytes)

    def exists(self, location: str) -> bool:
        """Whether an object (not a folder) is there.

        S3 answers 403 for what isn't there, too, to whoever may not list: both are absent.

        Raises:
            StorageError: S3 doesn't say, because it throttles or can't be reached.
        """
        if not is_s3(location):
            return os.path.isfile(location)
        # Whoever has files alone doesn't pay for this import.
        from botocore.exceptions import ClientError

        bucket, key = split_s3(location)
        with told(location, "cannot be looked for"):
            try:
                self.s3.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                    return False
                raise
        return True

    def list(self, base: str) -> Iterator[str]:
        """Names below a folder or prefix, relative to it, `/`-separated, sorted."""
        with told(base, "cannot be listed"):
            yield from self._list(base)

    def _list(self, base: str) -> Iterator[str]:
        if is_s3(base):
            bucket, key = split_s3(base)
            prefix = f"{key.rstrip('/')}/" if key else ""
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"][len(prefix) :]
            return
        root = Path(base)
        yield from sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())

    def write(self, location: str, data: bytes, *, staging: str | None = None) -> None:
        """Write an object so that nobody ever sees half of it under its name.

        Args:
            location: Where; missing folders are made.
            data: The whole content.
            staging: Folder, on the same file system, for the file while it grows. Default: beside it,
                under a hidden name. Not used in S3, where a put is atomic.
        """
        if is_s3(location):
            bucket, key = split_s3(location)
            with told(location, "cannot be written"):
                self.s3.put_object(Bucket=bucket, Key=key, Body=data)
        else:
            self.write_stream(location, (data,), staging=staging)

    def write_stream(self, location: str, pieces: Iterable[bytes], *, staging: str | None = None) -> None:
        """`write` for content that comes in pieces and need not fit into memory."""
        with told(location, "cannot be written"):
            self._write_stream(location, pieces, staging)

    def _write_stream(self, location: str, pieces: Iterable[bytes], staging: str | None) -> None:
        if is_s3(location):
            bucket, key = split_s3(location)
            with tempfile.SpooledTemporaryFile(max_size=8 * _CHUNK) as spool:
                spool.writelines(pieces)
                spool.seek(0)
                self.s3.upload_fileobj(spool, bucket, key)
            return
        path = Path(location)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(staging or path.parent, f".{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as stream:
                stream.writelines(pieces)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, location: str) -> None:
        """Remove one object; its absence is no error."""
        if is_s3(location):
            bucket, key = split_s3(location)
            with told(location, "cannot be removed"):
                self.s3.delete_object(Bucket=bucket, Key=key)
        else:
            with told(location, "cannot be removed"):
                Path(location).unlink(missing_ok=True)

    def _get(self, location: str, **extra: str) -> Any:
        bucket, key = split_s3(location)
        with told(location, "cannot be read", MissingError):
            return self.s3.get_object(Bucket=bucket, Key=key, **extra)

    def _check_size(self, location: str, size: int) -> None:
        if size > self.limits.file_bytes:
            raise LimitError(
                f"{location}: has {size:,} bytes, the limit is {self.limits.file_bytes:,}; "
                "raise Limits(file_bytes=…) if you trust the file"
            )
