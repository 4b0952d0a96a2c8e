"""Builds a job's input manifest: from a published directory, or by listing a bucket."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from . import log
from .chain import encoded
from .contract import SOURCE_BUCKET, SOURCE_DIRECTORY, SOURCE_JOB, Images, split_s3_uri
from .errors import DeployError
from .limits import IMAGE_SUFFIXES, OBJECTS_MAX
from .listing import chosen, objects

_UPLOADS = 8
# What is unpacked and on its way at a time; one image has 40 MB at most.
_UPLOAD_BYTES = 64 * 1024 * 1024
_READ_AHEAD = 8 * 1024 * 1024
_MANIFEST_IN_MEMORY = 32 * 1024 * 1024


def manifest_uri(
    s3: Any,
    images: Images,
    *,
    job_name: str,
    attribute: str = "",
    describe: Callable[[str], Mapping[str, Any] | None] = lambda _: None,
) -> str | None:
    """The URI of the manifest made for the job, or None where the request names one already.

    Args:
        s3: a boto3 client.
        images: what to label.
        job_name: of the job that the manifest is for.
        attribute: what that job's labels are called.
        describe: name → an earlier labeling job.

    Raises:
        DeployError: there is no image, or more than a job may have.
    """
    if images.source == SOURCE_JOB:
        # Only this path needs it.
        from .chained_images import earlier_output, lines_of_job

        output = earlier_output(images, describe)
        more = _entries(s3, images.more) if images.more is not None else ()
        lines = lines_of_job(s3, images, output, attribute=attribute, more=more)
        return _write_manifest(s3, images, job_name, lines, of=output.manifest_uri)
    if images.source in (SOURCE_DIRECTORY, SOURCE_BUCKET):
        lines = map(encoded, _entries(s3, images))
        return _write_manifest(s3, images, job_name, lines, of=images.images_s3_uri or images.archive_s3_uri)
    return None


def _entries(s3: Any, images: Images) -> list[dict[str, Any]]:
    """A line for each image, which is put where the job finds it."""
    if images.source == SOURCE_DIRECTORY:
        where = images.archive_s3_uri
        bucket, prefix = split_s3_uri(images.staging_s3_uri)
        archive = where.rsplit("/", 1)[-1].removesuffix(".zip")
        keys = _publish(s3, where, bucket, f"{prefix}images/{archive[:16]}/")
        count = len(keys)
    else:
        where = images.images_s3_uri
        bucket, prefix = split_s3_uri(where)
        keys, count = chosen(s3, bucket, prefix, images)
        log.action("ListImages", bucket=bucket, prefix=prefix, images=count, chosen=len(keys))
        count = len(keys) if "Sample" in images.listing else count
    if not keys:
        suffixes = ", ".join(images.listing.get("Suffixes", IMAGE_SUFFIXES))
        raise DeployError(f"no image ({suffixes}) in {where}; upload some, deploy again")
    _check_count(count, where)
    return [{"source-ref": f"s3://{bucket}/{key}"} for key in keys]


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


def _write_manifest(s3: Any, images: Images, job_name: str, lines: Iterable[bytes], *, of: str) -> str:
    bucket, prefix = split_s3_uri(images.staging_s3_uri)
    key = f"{prefix}manifests/{job_name}.manifest"
    count = 0
    # An earlier job's lines may have 100,000 characters each, so they are never all in memory.
    with tempfile.SpooledTemporaryFile(max_size=_MANIFEST_IN_MEMORY) as body:
        for count, line in enumerate(lines, 1):  # noqa: B007
            body.write(line + b"\n")
        _check_count(count, of)
        body.seek(0)
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/jsonlines")
    uri = f"s3://{bucket}/{key}"
    log.action("WriteManifest", manifest=uri, objects=count)
    return uri


def _check_count(found: int, where: str) -> None:
    if found > OBJECTS_MAX:
        raise DeployError(
            f"{found:,} images in {where}, but a semantic segmentation job takes {OBJECTS_MAX:,} objects at"
            " most; give each of several jobs a prefix of its own, exclude some, or take a sample"
        )


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
