"""A job runs where the service doesn't say for whom it assumes a role; all other tests run where it does."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from ground_truth_local.server import EmbeddedAws
from tests.e2e.conftest import LABELS, Deployer

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("e2e-trust")]


def test_a_job_runs_where_the_service_sends_no_source_account(
    tmp_path_factory: pytest.TempPathFactory, photos: Any
) -> None:
    with EmbeddedAws(source_account=False, simulated_workers=True) as aws:
        deployer = Deployer(aws, tmp_path_factory)

        def build(stack, team):
            images = Images.from_directory(photos)
            return SemanticSegmentationLabelingJob(stack, "Job", images=images, labels=LABELS, workteam=team)

        name = deployer("Trust", build)["JobName"]
        job = aws.session().client("sagemaker").describe_labeling_job(LabelingJobName=name)
        assert job["LabelingJobStatus"] in ("InProgress", "Completed")
        deployer.destroy_all()
