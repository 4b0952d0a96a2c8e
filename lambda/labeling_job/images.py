"""Builds a job's input manifest: from a published directory, or by listing a bucket."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from . import log
from .contract import SOURCE_BUCKET, SOURCE_DIRECTORY, Images, split_s3_uri
from .errors import DeployError
from .limits import IMAGE_SUFFIXES, OBJECTS_MAX
from .listing import chosen, objects

_UPLOADS = 8
# What is unpacked and on its way at a time; one image has 40 MB at most.
_UPLOAD_BYTES = 64 * 1024 * 1024
_READ_AHEAD = 8 * 1024 * 1024


def manifest_uri(s3: Any, images: Images, *, job_name: str) -> str | None:
    """The URI of the manifest made for the job, or None where the request names one already.

    Raises:
        DeployError: there is no image, or more than a job may have.
    """
    if images.source == SOURCE_DIRECTORY:
        bucket, prefix = split_s3_uri(images.staging_s3_uri)
        archive = images.archive_s3_uri.rsplit("/", 1)[-1].removesuffix(".zip")
        keys = _publish(s3, images.archive_s3_uri, bucket, f"{prefix}images/{archive[:16]}/")
        return _write_manifest(s3, images, job_name, bucket, keys)
    if images.source == SOURCE_BUCKET:
        bucket, prefix = split_s3_uri(images.images_s3_uri)
        keys, count = chosen(s3, bucket, prefix, images)
        log.action("ListImages", bucket=bucket, prefix=prefix, images=count, chosen=len(keys))
        return _write_manifest(
            s3, images, job_name, bucket, keys, count=None if "Sample" in images.listing else count
        )
    return None


def _publish(s3: Any, archive_uri: str, bucket: str, prefix: str) -> list[str]:
    """Copy the archive's images to the bucket; what an interrupted run has copied is left as it is."""
    # Only this path needs it, and the import is part of every cold start.
    import zipfile

    archive_bucket, archive_key = split_s3_uri(archive_uri)
    there = dict(objects(s3, bucket, prefix))
    keys = []
    with (
        zipfile.ZipFile(io.BufferedReader(_S3File(s3, archive_bucket, archive_key), _READ_AHEAD)) as archive,
        ThreadPoolExecutor(_UPLOADS) as pool,
    ):
        running: dict[Future[Any], int] = {}
        members = [m for m in archive.infolist() if not m.is_dir() and _is_image(m.filename)]
        for member in sorted(members, key=lambda m: m.header_offset):
            key = prefix + member.filename
            keys.append(key)
            if there.get(key) == member.file_size:
                continue
            while running and (
                len(running) >= _UPLOADS or sum(running.values()) + member.file_size > _UPLOAD_BYTES
            ):
                _settle(running)
            upload = {"Bucket": bucket, "Key": key, "ContentType": _content_type(key)}
            running[pool.submit(s3.put_object, Body=archive.read(member), **upload)] = member.file_size
        while running:
            _settle(running)
    log.action("PublishImages", archive=archive_uri, to=f"s3://{bucket}/{prefix}", images=len(keys))
    # S3's own order, so that both sources number their objects in the same way.
    return sorted(keys, key=str.encode)


def _settle(running: dict[Future[Any], int]) -> None:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for upload in done:
        del running[upload]
        upload.result()


def _write_manifest(
    s3: Any, images: Images, job_name: str, bucket: str, keys: list[str], *, count: int | None = None
) -> str:
    where, found = images.images_s3_uri or images.archive_s3_uri, len(keys) if count is None else count
    if not keys:
        suffixes = ", ".join(images.listing.get("Suffixes", IMAGE_SUFFIXES))
        raise DeployError(f"no image ({suffixes}) in {where}; upload some, deploy again")
    if found > OBJECTS_MAX:
        raise DeployError(
            f"{found:,} images in {where}, but a semantic segmentation job takes {OBJECTS_MAX:,} objects at"
            " most; give each of several jobs a prefix of its own, exclude some, or take a sample"
        )
    staging_bucket, staging_prefix = split_s3_uri(images.staging_s3_uri)
    key = f"{staging_prefix}manifests/{job_name}.manifest"
    body = "".join(_lines(bucket, keys)).encode()
    s3.put_object(Bucket=staging_bucket, Key=key, Body=body, ContentType="application/jsonlines")
    uri = f"s3://{staging_bucket}/{key}"
    log.action("WriteManifest", manifest=uri, objects=len(keys))
    return uri


def _lines(bucket: str, keys: Iterable[str]) -> Iterator[str]:
    for key in keys:
        # ASCII escapes: a key may hold line separators that a reader takes for the end of a line.
        yield json.dumps({"source-ref": f"s3://{bucket}/{key}"}) + "\n"


def _is_image(key: str) -> bool:
    return key.lower().endswith(IMAGE_SUFFIXES)


def _content_type(key: str) -> str:
    return "image/png" if key.lower().endswith(".png") else "image/jpeg"


class _S3File(io.RawIOBase):
    """An S3 object as a seekable file, read in ranges: a zip is neither held in memory nor on disk."""

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3, self._bucket, self._key = s3, bucket, key
        self._size: int = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        last = min(self._position + len(buffer), self._size) - 1
        if last < self._position:
            return 0
        answer = self._s3.get_object(
            Bucket=self._bucket, Key=self._key, Range=f"bytes={self._position}-{last}"
        )
        data = answer["Body"].read()
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
