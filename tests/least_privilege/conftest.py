"""One account, one stack, and images that are there before it."""

from __future__ import annotations

import json
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
    with EmbeddedAws(simulated_workers=simulated_workers) as aws:
        team = aws.create_workteam("annotators")
        s3 = aws.session().client("s3")
        for bucket in ("all-images", app.LISTED):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [CORS]})
            s3.put_object(Bucket=bucket, Key="photos/a.png", Body=app.picture(2))
        lines = [json.dumps({"source-ref": "s3://all-images/photos/a.png"})] * 1
        s3.put_object(Bucket="all-images", Key="all.manifest", Body="\n".join(lines))
        folder: Path = tmp_path_factory.mktemp("app")
        assembly = Path(app.build(folder, team, "all-images").synth().directory)
        yield Deployed(aws, assembly, "LeastPrivilege")
