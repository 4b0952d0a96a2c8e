"""Inputs at scale: a listed bucket, a published directory, and preflight of as many images as a job takes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import s3_stub
from .side_by_side import ROOT, compare

_IMAGES = 20_000
#: Files and bytes of each: as many as a job takes, and large ones.
_DIRECTORIES = ((_IMAGES, 20_000), (200, 4_000_000))
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-west-1",
}


def main() -> None:
    """Print the figures of the handler's work on inputs."""
    for count in (_IMAGES, 10 * _IMAGES):
        with s3_stub.serving(count) as endpoint:
            ratio = compare(lambda: _build(endpoint, count), lambda: _list(endpoint, count), runs=3)  # noqa: B023
        print(f"manifest of {count:,} keys ÷ a bare sequential listing of them: {ratio}  [goal ≤ 1.2]")
    with s3_stub.serving(_IMAGES) as endpoint:
        got = _measured("_preflight", endpoint)
    print(
        f"preflight of {got['images']:,} images: {got['images'] / got['seconds']:.0f} objects/s,"
        f" {got['bytes'] / got['images'] / 1024:.1f} KiB an image  [goal ≤ 64],"
        f" peak memory {got['peak'] / 2**20:.0f} MiB  [goal ≤ 256]"
    )
    for images, size in _DIRECTORIES:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "0123456789abcdef0123.zip"
            _zip(archive, images, size)
            with s3_stub.serving(0, archive) as endpoint:
                got = _measured("_publish", endpoint)
        print(
            f"directory of {images:,} files of {size / 1000:,.0f} KB, copied by the handler:"
            f" {images / got['seconds']:.0f} files/s, {images * size / 1e6 / got['seconds']:.0f} MB/s,"
            f" peak memory {got['peak'] / 2**20:.0f} MiB  [goal ≤ 256]"
        )


def _measured(what: str, endpoint: str, module: str = "benchmarks.preflight") -> dict[str, float]:
    """What a function of a module prints, in a process whose memory is its own."""
    command = [sys.executable, "-m", module, what, endpoint]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    figures: dict[str, float] = json.loads(printed)
    return figures


def _zip(path: Path, images: int, size: int) -> None:
    # Photographs don't get smaller.
    body = random.Random(0).randbytes(size)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(images):
            archive.writestr(f"2026/{number:05}.jpg", body)


def _client(endpoint: str) -> Any:
    os.environ.update(_ENVIRONMENT)
    sys.path.insert(0, str(ROOT / "lambda"))
    import boto3
    from botocore.config import Config

    config = Config(s3={"addressing_style": "path"}, max_pool_connections=32)
    return boto3.client("s3", endpoint_url=endpoint, config=config)


def _list(endpoint: str, count: int) -> None:
    pages = _client(endpoint).get_paginator("list_objects_v2").paginate(Bucket=s3_stub.BUCKET)
    assert sum(len(page["Contents"]) for page in pages) == count


def _build(endpoint: str, count: int) -> None:
    s3 = _client(endpoint)
    from labeling_job.contract import Images

    images = Images(
        source="Bucket",
        images_s3_uri=f"s3://{s3_stub.BUCKET}/",
        staging_s3_uri=f"s3://{s3_stub.BUCKET}/in/",
        # More than a job takes are sampled: a manifest of them all would be refused.
        listing={"Sample": _IMAGES} if count > _IMAGES else {},
    )
    with contextlib.redirect_stdout(io.StringIO()):
        _stage(s3, images)


def _preflight(endpoint: str) -> None:
    s3 = _client(endpoint)
    from labeling_job.preflight.access import Reader
    from labeling_job.preflight.inspection import Inspection
    from labeling_job.preflight.manifest import read_manifest
    from labeling_job.preflight.pictures import look_at_images
    from labeling_job.preflight.plan import plan_of
    from labeling_job.rules.findings import Findings

    source = {"S3DataSource": {"ManifestS3Uri": f"s3://{s3_stub.BUCKET}/in.manifest"}}
    plan = plan_of({"InputConfig": {"DataSource": source}}, region="eu-west-1")
    findings, reader = Findings(), Reader(s3, sleep=time.sleep, clock=time.monotonic)
    started = time.perf_counter()
    inspection = Inspection(plan=plan, findings=findings, reader=reader, client=lambda service: s3)
    looked = look_at_images(inspection, read_manifest(inspection).images)
    seconds = time.perf_counter() - started
    assert not findings.errors() and looked == _IMAGES, findings.message("", "")
    print(json.dumps({"images": looked, "seconds": seconds, "bytes": reader.bytes, "peak": _peak()}))


def _publish(endpoint: str) -> None:
    s3 = _client(endpoint)
    from labeling_job.contract import Images

    images = Images(
        source="Directory",
        archive_s3_uri=f"s3://{s3_stub.BUCKET}/0123456789abcdef0123.zip",
        staging_s3_uri=f"s3://{s3_stub.BUCKET}/in/",
    )
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        _stage(s3, images)
    print(json.dumps({"seconds": time.perf_counter() - started, "peak": _peak()}))


def _stage(s3: Any, images: Any) -> None:
    """What the handler does before preflight, and after it."""
    from labeling_job.images import staged
    from labeling_job.patience import Patience
    from labeling_job.storage import Storage

    patience = Patience(remaining_ms=lambda: 900_000, sleep=time.sleep, now=lambda: datetime.now(UTC))
    storage = Storage(s3, patience)
    staging = staged(storage, images, job_name="job")
    assert staging is not None
    staging.publish(storage)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    {"_preflight": _preflight, "_publish": _publish}[sys.argv[1]](sys.argv[2]) if sys.argv[1:] else main()
