from __future__ import annotations

import pytest

from tests.labeling_job.fakes import S3, Clock, CloudFormation, SageMaker


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sagemaker(clock: Clock) -> SageMaker:
    return SageMaker(clock)


@pytest.fixture
def s3() -> S3:
    return S3()


@pytest.fixture
def cloudformation() -> CloudFormation:
    return CloudFormation()
