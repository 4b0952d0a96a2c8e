"""Manifest building ÷ a bare listing of the same keys; preflight of as many images as a job takes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

from . import s3_stub
from .side_by_side import ROOT, compare

_IMAGES = 20_000
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
        command = [sys.executable, "-m", "benchmarks.preflight", endpoint]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    got = json.loads(done.stdout)
    print(
        f"preflight of {got['images']:,} images: {got['images'] / got['seconds']:.0f} objects/s,"
        f" {got['bytes'] / got['images'] / 1024:.1f} KiB an image  [goal ≤ 64],"
        f" peak memory {got['peak'] / 2**20:.0f} MiB  [goal ≤ 256]"
    )


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
    from labeling_job.images import manifest_uri

    images = Images(
        source="Bucket",
        images_s3_uri=f"s3://{s3_stub.BUCKET}/",
        staging_s3_uri=f"s3://{s3_stub.BUCKET}/in/",
        # More than a job takes are sampled: a manifest of them all would be refused.
        listing={"Sample": _IMAGES} if count > _IMAGES else {},
    )
    with contextlib.redirect_stdout(io.StringIO()):
        manifest_uri(s3, images, job_name="job")


def _preflight(endpoint: str) -> None:
    s3 = _client(endpoint)
    from labeling_job.preflight.access import Reader
    from labeling_job.preflight.findings import Findings
    from labeling_job.preflight.manifest import read_manifest
    from labeling_job.preflight.pictures import look_at_images
    from labeling_job.preflight.plan import plan_of

    source = {"S3DataSource": {"ManifestS3Uri": f"s3://{s3_stub.BUCKET}/in.manifest"}}
    plan = plan_of({"InputConfig": {"DataSource": source}}, region="eu-west-1")
    findings, reader = Findings(), Reader(s3, sleep=time.sleep, clock=time.monotonic)
    started = time.perf_counter()
    manifest = read_manifest(reader, plan, findings)
    looked = look_at_images(manifest.images, reader, findings, automated=False, out_of_time=lambda: False)
    seconds = time.perf_counter() - started
    assert not findings.errors() and looked == _IMAGES, findings.message("", "")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"images": looked, "seconds": seconds, "bytes": reader.bytes, "peak": peak}))


if __name__ == "__main__":
    _preflight(sys.argv[1]) if len(sys.argv) > 1 else main()
