"""A job's output on this machine: a copy of the buckets that reads without AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "manifests/output/output.manifest"


def copy_output(s3: Any, manifest_uri: str, folder: Path) -> Path:
    """Copy a job's whole output, and the images that its manifest names, to `folder/<bucket>/<key>`.

    Args:
        s3: a client that may read both.
        manifest_uri: of the output manifest.
        folder: made if it isn't there.

    Returns:
        The output manifest in the copy, which `ground_truth_labels` reads with `root=folder`.
    """
    from ground_truth_labels import read_manifest

    bucket, _, key = manifest_uri.removeprefix("s3://").partition("/")
    _copy(s3, bucket, key.removesuffix(MANIFEST), folder)
    copied = folder / bucket / key
    for item in read_manifest(copied):
        source, _, name = item.source_ref.removeprefix("s3://").partition("/")
        _copy(s3, source, name, folder)
    return copied


def keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    """The keys below a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (item["Key"] for item in page.get("Contents", []))


def _copy(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    for key in keys(s3, bucket, prefix):
        target = folder / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))
