from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from labeling_job.contract import Images, JobProperties
from labeling_job.errors import DeployError
from labeling_job.preflight import access, gate
from tests.corpus.fake_aws import FakeAws
from tests.corpus.world import World


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is denied for a moment only in these tests."""
    monkeypatch.setattr(access, "_SETTLE_SECONDS", 0.0)


def properties(world: World, **preflight) -> JobProperties:
    images = Images(source="Bucket" if world.listed else "Manifest", images_s3_uri=world.listed)
    return JobProperties(
        job_name_prefix="corpus",
        images=images,
        request=world.request,
        tags={},
        preflight={name.title(): value for name, value in preflight.items()},
        cost=world.cost,
        # In an order that no alphabet has.
        labels=("sky", "road", "car"),
    )


CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, log_group_name="/aws/lambda/handler")


@pytest.fixture
def deploy() -> Callable[..., tuple[FakeAws, str]]:
    """Run the gate as the lifecycle does; the fake, and the message of a refusal."""

    def run(world: World, **preflight) -> tuple[FakeAws, str]:
        aws = FakeAws(world)
        try:
            tags = gate.passed(world.request, properties(world, **preflight), client=aws, context=CONTEXT)
        except DeployError as refusal:
            return aws, str(refusal)
        aws("sagemaker").create_labeling_job(**world.request, Tags=tags)
        return aws, ""

    return run
