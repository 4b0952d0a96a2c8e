"""Examples on the embedded AWS, with the real CLI."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTOS = str(EXAMPLES / "photos")

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("examples")]


def program(path: Path) -> str:
    return f"{sys.executable} {path}"


def wait_for(look: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_a_complete_job_trains_in_another_stack(deploy: Any, aws_session: Any, workteam: str) -> None:
    deploy(program(EXAMPLES / "train_on_completion" / "app.py"), workteam=workteam)
    s3 = aws_session.client("s3")

    def model() -> Any:
        for bucket in s3.list_buckets()["Buckets"]:
            listed = s3.list_objects_v2(Bucket=bucket["Name"], Prefix="models/").get("Contents")
            if listed:
                body = s3.get_object(Bucket=bucket["Name"], Key=listed[0]["Key"])["Body"].read()
                return json.loads(body)
        return None

    assert wait_for(model) == {"labeled": 2}


def test_own_bucket_key_and_role(deploy: Any, workteam: str) -> None:
    [outputs] = deploy(program(EXAMPLES / "own_resources" / "app.py"), workteam=workteam).values()
    assert outputs["JobName"].startswith("ownresources-job-")


def test_several_jobs(deploy: Any, aws_session: Any, workteam: str) -> None:
    s3 = aws_session.client("s3")
    s3.create_bucket(Bucket="street-photos")
    rule = {
        "AllowedMethods": ["GET"],
        "AllowedOrigins": ["*"],
        "ExposeHeaders": ["Access-Control-Allow-Origin"],
    }
    s3.put_bucket_cors(Bucket="street-photos", CORSConfiguration={"CORSRules": [rule]})
    for kind in ("streets", "fields"):
        for photo in Path(PHOTOS).iterdir():
            s3.put_object(Bucket="street-photos", Key=f"{kind}/{photo.name}", Body=photo.read_bytes())
    app = program(EXAMPLES / "several_jobs" / "app.py")
    [outputs] = deploy(app, workteam=workteam, photos="street-photos").values()
    assert outputs["StreetsJob"].startswith("streets-") and outputs["FieldsJob"].startswith("fields-")
