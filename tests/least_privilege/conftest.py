"""One account, one stack, and images that are there before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ground_truth_local.server import EmbeddedAws
from tests.least_privilege import app
from tests.least_privilege.deployed import Deployed

CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["Access-Control-Allow-Origin"]}


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: Any) -> Iterator[Deployed]:
    """Nobody labels: a job lives until the handler stops it."""
    yield from _deployed(tmp_path_factory, simulated_workers=False)


@pytest.fixture(scope="session")
def at_work(tmp_path_factory: Any) -> Iterator[Deployed]:
    """Jobs are labeled at once."""
    yield from _deployed(tmp_path_factory, simulated_workers=True)


def _deployed(tmp_path_factory: Any, *, simulated_workers: bool) -> Iterator[Deployed]:
    # Where nobody labels, what the handler may do counts alone: a job that must fail fails after its chapter.
    set_up = 0.0 if simulated_workers else 120.0
    with EmbeddedAws(simulated_workers=simulated_workers, set_up_seconds=set_up) as aws:
        team = aws.create_workteam("annotators")
        s3, kms = (aws.session().client(service) for service in ("s3", "kms"))
        key = kms.create_key()["KeyMetadata"]["Arn"]
        seal = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        for bucket in ("all-images", app.LISTED, app.SEALED):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [CORS]})
            if bucket == app.SEALED:
                s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [seal]})
            s3.put_object(Bucket=bucket, Key="photos/a.png", Body=app.picture(2))
        s3.put_object(Bucket="all-images", Key="all.manifest", Body=app.manifest_of("all-images"))
        folder: Path = tmp_path_factory.mktemp("app")
        assembly = Path(app.build(folder, team, "all-images", key).synth().directory)
        yield Deployed(aws, assembly, "LeastPrivilege")
