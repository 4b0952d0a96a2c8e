"""A job's output on this machine: a copy of the buckets that reads without AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "manifests/output/output.manifest"
#: Where `ground_truth_labels` looks for the classes of a copy.
_CATEGORIES = "label-categories.json"


def copy_output(s3: Any, manifest_uri: str, folder: Path) -> Path:
    """Copy a job's whole output, and the images that its manifest names, to `folder/<bucket>/<key>`.

    Args:
        s3: a client that may read both.
        manifest_uri: of the output manifest.
        folder: made if it isn't there.

    Returns:
        The output manifest in the copy, which `ground_truth_labels` reads with `root=folder`.
    """
    bucket, _, key = manifest_uri.removeprefix("s3://").partition("/")
    job = key.removesuffix(MANIFEST)
    _copy(s3, bucket, job, folder)
    copied = folder / bucket / key
    _write_classes(s3, bucket, job.rstrip("/"), copied.with_name(_CATEGORIES))
    for line in copied.read_text(encoding="utf-8").splitlines():
        source, _, name = json.loads(line)["source-ref"].removeprefix("s3://").partition("/")
        _copy(s3, source, name, folder)
    return copied


def keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    """The keys below a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (item["Key"] for item in page.get("Contents", []))


def _write_classes(s3: Any, bucket: str, job: str, place: Path) -> None:
    """Write the classes in the app's order, which the report beside the job's folder has."""
    prefix, _, name = job.rpartition("/")
    report = f"{prefix}/preflight/{name}.json".lstrip("/")
    if report in keys(s3, bucket, report):
        labels = json.loads(s3.get_object(Bucket=bucket, Key=report)["Body"].read())["labels"]
        place.write_text(json.dumps({"labels": [{"label": label} for label in labels]}), encoding="utf-8")


def _copy(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    for key in keys(s3, bucket, prefix):
        target = folder / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))
