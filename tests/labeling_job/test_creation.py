"""What can be known without the images is checked before gigabytes of them are copied."""

from __future__ import annotations

from typing import Any

import pytest

from labeling_job.creation import without_images
from labeling_job.errors import DeployError
from labeling_job.event import read
from labeling_job.jobs import Jobs
from labeling_job.lifecycle import Lifecycle
from labeling_job.patience import Patience
from labeling_job.preflight import access, gate
from labeling_job.stack import Stack
from tests.corpus.broken import BROKEN
from tests.corpus.fake_aws import FakeAws
from tests.corpus.world import good_world
from tests.labeling_job.fakes import S3, Clock, CloudFormation, SageMaker, event, properties
from tests.labeling_job.preflight.conftest import CONTEXT
from tests.labeling_job.preflight.conftest import properties as properties_of
from tests.labeling_job.test_images import directory
from tests.labeling_job.test_succession import Staging
from tests.s3 import service_error

#: Broken inputs that only a look at the images shows.
OF_IMAGES = {name for name, (check, _) in BROKEN.items() if check.startswith("image-")} | {
    "images' key disabled",
    "role may not use the images' key",
}


class Checks:
    """Notes what was there when it was asked, and refuses from one time on."""

    def __init__(self, s3, refuse_at) -> None:
        self.s3, self.refuse_at = s3, refuse_at
        self.seen: list[Any] = []

    def __call__(self, request, properties):
        images = [key for key in self.s3.puts if "/images/" in key]
        self.seen.append((len(images), "image-exists" in properties.preflight.get("Skip", ())))
        if len(self.seen) == self.refuse_at:
            raise DeployError("no team")
        return {}


@pytest.fixture
def create(sagemaker: SageMaker, cloudformation: CloudFormation, clock: Clock, s3: S3):
    def run(refuse_at):
        images = directory(s3, {"a.jpg": b"A", "b.jpg": b"B"})
        source = {"Source": "Directory", "ArchiveS3Uri": images.archive_s3_uri, "StagingS3Uri": "s3://in/s/"}
        asked = read(event(ResourceProperties=properties(Images=source, Preflight={})))
        patience = Patience(remaining_ms=lambda: clock.remaining_ms, sleep=clock.sleep, now=clock.now)
        checks = Checks(s3, refuse_at)
        lifecycle = Lifecycle(
            asked,
            jobs=Jobs(sagemaker, patience),
            stack=Stack(asked, lambda: cloudformation, patience),
            patience=patience,
            staging=Staging(s3, clock),
            preflight=checks,
        )
        return lifecycle.create, checks

    return run


def test_images_are_copied_when_all_else_is_right(create, s3: S3) -> None:
    make, checks = create(refuse_at=0)
    make()
    assert checks.seen == [(0, True), (2, False)]


@pytest.mark.parametrize(("refuse_at", "copied"), [(1, 0), (2, 2)])
def test_what_is_wrong_without_the_images_copies_none(
    create, s3: S3, sagemaker: SageMaker, refuse_at: int, copied: int
) -> None:
    make, _ = create(refuse_at)
    with pytest.raises(DeployError, match="no team"):
        make()
    assert sum("/images/" in key for key in s3.puts) == copied
    assert not sagemaker.jobs


@pytest.mark.parametrize("name", sorted(set(BROKEN) - OF_IMAGES))
def test_all_that_needs_no_image_is_found_without_them(monkeypatch: pytest.MonkeyPatch, name) -> None:
    monkeypatch.setattr(access, "_SETTLE_SECONDS", 0.0)
    check, change = BROKEN[name]
    world = good_world()
    change(world)
    with pytest.raises(DeployError, match=f"ERROR {check}"):
        _without_images(world)


def test_images_that_are_not_there_yet_are_not_missed() -> None:
    world = good_world()
    for key in [key for key in world.input.objects if key.endswith(".jpg")]:
        del world.input.objects[key]
    _without_images(world)


def _without_images(world) -> None:
    gate.passed(world.request, without_images(properties_of(world)), client=FakeAws(world), context=CONTEXT)


KEY_DENIED = (
    "User: arn:aws:sts::111122223333:assumed-role/handler/handler is not authorized to perform: kms:Decrypt"
    " on resource: arn:aws:kms:eu-west-1:111122223333:key/1 because no identity-based policy allows it"
)


def test_a_bootstrap_key_that_the_archives_reader_may_not_use(create, s3: S3) -> None:
    make, _ = create(refuse_at=0)
    whole = s3.get_object

    def get_object(Bucket, **asked):
        if Bucket == "assets":
            raise service_error("GetObject", "AccessDenied", KEY_DENIED, status=403)
        return whole(Bucket=Bucket, **asked)

    s3.get_object = get_object
    with pytest.raises(DeployError, match=r"key.grant_decrypt\(job.handler_role\) and .*\(job.role\)"):
        make()


@pytest.mark.parametrize("file", ["template.liquid.html", "labels.json"])
def test_a_bootstrap_key_that_the_templates_reader_may_not_use(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(access, "_SETTLE_SECONDS", 0.0)
    aws = FakeAws(good_world())
    s3 = aws("s3")
    whole = s3.get_object

    def get_object(Bucket, Key, **asked):
        if Key == file:
            raise service_error("GetObject", "AccessDenied", KEY_DENIED, status=403)
        return whole(Bucket=Bucket, Key=Key, **asked)

    s3.get_object = get_object
    with pytest.raises(DeployError, match=r"key.grant_decrypt\(job.handler_role\) and .*\(job.role\)"):
        gate.passed(aws.world.request, properties_of(aws.world), client=aws, context=CONTEXT)
