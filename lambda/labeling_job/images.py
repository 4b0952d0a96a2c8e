"""Builds a job's input manifest: of a directory, by listing a bucket, or from an earlier job's output.

What is to be staged is known before anything is written, so that preflight can refuse a job first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from . import log
from .chain import Counts, encoded
from .contract import SOURCE_BUCKET, SOURCE_DIRECTORY, SOURCE_JOB, Images, split_s3_uri
from .errors import DeployError
from .limits import IMAGE_SUFFIXES, OBJECTS_MAX
from .listing import chosen
from .storage import Storage

if TYPE_CHECKING:
    from .archive import Archive
    from .predecessors import Predecessor

_MANIFEST_IN_MEMORY = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Staging:
    """What a job needs in its input bucket.

    Attributes:
        bucket, key: where the manifest goes.
        manifest: its lines; an earlier job's may have 100,000 characters each, so they wait on disk.
        objects: how many lines there are.
        archive: images that have to be copied beside it; None where they stay in their bucket.
    """

    bucket: str
    key: str
    manifest: IO[bytes]
    objects: int
    archive: Archive | None = None
    #: What becomes of labels that are there.
    kept: Counts = field(default_factory=Counts)

    @property
    def manifest_uri(self) -> str:
        """The manifest's URI."""
        return f"s3://{self.bucket}/{self.key}"

    def publish(self, storage: Storage, before_copying: Callable[[], None] = lambda: None) -> None:
        """Write all of it; nobody reads the manifest but who checks it, before gigabytes are copied."""
        storage.put(self.bucket, self.key, self.manifest, content_type="application/jsonlines")
        self.manifest.close()
        log.action("WriteManifest", manifest=self.manifest_uri, objects=self.objects)
        if self.archive is not None:
            before_copying()
            self.archive.copy()


def staged(
    storage: Storage,
    images: Images,
    *,
    job_name: str,
    attribute: str = "",
    describe: Callable[[str], Mapping[str, Any] | None] = lambda _: None,
    before: Sequence[Predecessor] = (),
    manifest_uri: str = "",
) -> Staging | None:
    """What has to be staged for the job, or None where the request names a manifest already.

    Args:
        storage: S3.
        images: what to label.
        job_name: of the job that the manifest is for.
        attribute: what that job's labels are called.
        describe: name → an earlier labeling job.
        before: jobs that this one goes on from because an update changed them, the oldest first.
        manifest_uri: the user's own manifest, whose lines are read only where there are such jobs.

    Raises:
        DeployError: there is no image, or more than a job may have.
    """
    lines, archive, where = _lines(storage, images, attribute, describe, manifest_uri if before else "")
    if lines is None:
        return None
    kept = Counts()
    if before:
        from .predecessors import kept_lines

        lines = kept_lines(storage, lines, before, attribute, kept)
    return _staging(images, job_name, lines, archive, of=where, kept=kept)


def _lines(
    storage: Storage,
    images: Images,
    attribute: str,
    describe: Callable[[str], Mapping[str, Any] | None],
    manifest_uri: str,
) -> tuple[Iterable[bytes] | None, Archive | None, str]:
    """Lines of the manifest, what has to be copied for them, and where they are from."""
    if images.source == SOURCE_JOB:
        # Only this path needs it.
        from .chained_images import earlier_output, lines_of_job

        output = earlier_output(images, describe)
        more, archive = _entries(storage, images.more) if images.more is not None else ([], None)
        lines = lines_of_job(storage, images, output, attribute=attribute, more=more)
        return lines, archive, output.manifest_uri
    if images.source in (SOURCE_DIRECTORY, SOURCE_BUCKET):
        entries, archive = _entries(storage, images)
        return map(encoded, entries), archive, images.images_s3_uri or images.archive_s3_uri
    if manifest_uri:
        from .chained_images import output_lines

        return output_lines(storage, manifest_uri), None, manifest_uri
    return None, None, ""


def _entries(storage: Storage, images: Images) -> tuple[list[dict[str, Any]], Archive | None]:
    """A line for each image, and what has to be copied so that the job finds it."""
    archive = None
    if images.source == SOURCE_DIRECTORY:
        # Only this path needs it, and the import of zipfile is part of every cold start.
        from .archive import Archive

        where = images.archive_s3_uri
        bucket, prefix = split_s3_uri(images.staging_s3_uri)
        archive = Archive(storage, where, bucket, f"{prefix}images/")
        keys = archive.keys
        count = len(keys)
    else:
        where = images.images_s3_uri
        bucket, prefix = split_s3_uri(where)
        keys, count = chosen(storage, bucket, prefix, images)
        log.action("ListImages", bucket=bucket, prefix=prefix, images=count, chosen=len(keys))
        count = len(keys) if "Sample" in images.listing else count
    if not keys:
        suffixes = ", ".join(images.listing.get("Suffixes", IMAGE_SUFFIXES))
        raise DeployError(f"no image ({suffixes}) in {where}; upload some, deploy again")
    _check_count(count, where)
    return [{"source-ref": f"s3://{bucket}/{key}"} for key in keys], archive


def _staging(
    images: Images, job_name: str, lines: Iterable[bytes], archive: Archive | None, *, of: str, kept: Counts
) -> Staging:
    bucket, prefix = split_s3_uri(images.staging_s3_uri)
    count = 0
    body = tempfile.SpooledTemporaryFile(max_size=_MANIFEST_IN_MEMORY)  # noqa: SIM115
    for count, line in enumerate(lines, 1):  # noqa: B007
        body.write(line + b"\n")
    _check_count(count, of)
    key = f"{prefix}manifests/{job_name}.manifest"
    return Staging(bucket=bucket, key=key, manifest=body, objects=count, archive=archive, kept=kept)


def _check_count(found: int, where: str) -> None:
    if found > OBJECTS_MAX:
        raise DeployError(
            f"{found:,} images in {where}, but a semantic segmentation job takes {OBJECTS_MAX:,} objects at"
            " most; a SemanticSegmentationLabelingCampaign makes as many jobs as they need. Or exclude some,"
            " or take a sample"
        )
