"""The jobs' own roles: nothing is missing and nothing is too much."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.least_privilege.app import JOBS
from tests.least_privilege.deployed import Deployed, job_of
from tests.least_privilege.handler_run import HandlerRun
from tests.least_privilege.mutations import Mutation, mutations, statements
from tests.least_privilege.service_calls import first_denial

_numbers = itertools.count()
#: The embedded engine runs these to the end.
RUN = ("Directory", "Bucket")


def run_job(deployed: Deployed, kind: str, role_arn: str) -> str:
    """Run a job with a role on the embedded engine; the reason if it fails, or an object does."""
    sagemaker = deployed.admin.client("sagemaker")
    properties = deployed.jobs[job_of(deployed, kind)]
    name = f"{properties['JobNamePrefix']}-{next(_numbers):08x}"
    request = _typed({**properties["Request"], "LabelingJobName": name, "RoleArn": role_arn})
    request["InputConfig"] = {
        "DataSource": {"S3DataSource": {"ManifestS3Uri": _manifest(deployed, properties)}}
    }
    sagemaker.create_labeling_job(**request)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = sagemaker.describe_labeling_job(LabelingJobName=name)
        if job["LabelingJobStatus"] == "Completed":
            return ""
        if job["LabelingJobStatus"] == "Failed":
            return str(job["FailureReason"])
        time.sleep(0.1)
    raise AssertionError(f"{name} is still {job['LabelingJobStatus']}")


def _manifest(deployed: Deployed, properties: dict[str, Any]) -> str:
    """What the handler would have staged, staged once."""
    place = properties["Images"]["StagingS3Uri"].removeprefix("s3://")
    bucket, _, prefix = place.partition("/")
    s3 = deployed.admin.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}manifests/").get("Contents", [])
    return f"s3://{bucket}/{listed[0]['Key']}"


def _typed(request: dict[str, Any]) -> dict[str, Any]:
    task = request["HumanTaskConfig"]
    numbers = ("NumberOfHumanWorkersPerDataObject", "TaskTimeLimitInSeconds")
    return {**request, "HumanTaskConfig": {**task, **{name: int(task[name]) for name in numbers}}}


@pytest.fixture(scope="module")
def staged(at_work: Deployed) -> Deployed:
    """The handler has published images and manifests, with its own role."""
    name, policies = at_work.role_of("CdkGroundTruthHandlerRole3043096D")
    with at_work.role_with(name, policies) as (_, session):
        for kind in RUN:
            logical_id = job_of(at_work, kind)
            answer = HandlerRun(at_work, session).event(logical_id, "Create", at_work.jobs[logical_id])
            assert answer["Status"] == "SUCCESS", answer["Reason"]
    return at_work


def outcome(deployed: Deployed, kind: str, like: str, policies: dict[str, Any]) -> str:
    with deployed.role_with(like, policies) as (arn, session):
        job = deployed.jobs[job_of(deployed, kind)]
        image = "" if kind in RUN else "s3://all-images/photos/a.png"
        why = first_denial(session, deployed.simulate(arn), job, arn, image)
        if why or kind not in RUN:
            return why
        reason = run_job(deployed, kind, arn)
        return reason


@pytest.mark.parametrize("kind", JOBS)
def test_a_jobs_role_needs_all_it_may_and_may_all_it_needs(staged: Deployed, kind: str, capsys: Any) -> None:
    logical_id = next(
        name
        for name, each in staged.template["Resources"].items()
        if each["Type"] == "AWS::IAM::Role" and name.startswith(f"{kind}ExecutionRole")
    )
    like, policies = staged.role_of(logical_id)
    assert outcome(staged, kind, like, policies) == ""
    tried = list(mutations(policies))

    def killed(mutation: Mutation) -> str:
        try:
            return outcome(staged, kind, like, mutation.policies)
        except ClientError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(killed, tried))
    results = list(zip(tried, outcomes, strict=True))
    survivors = [each.removed for each, why in results if not why]
    misnamed = [
        (each.removed, why)
        for each, why in results
        if why and not any(action in why for action in each.actions)
    ]
    with capsys.disabled():
        print(
            f"\n{kind}: {statements(policies)} statements, {len(tried)} mutations,"
            f" {len(tried) - len(survivors)} killed, {len(survivors)} surviving"
        )
    assert not survivors, survivors
    assert not misnamed, misnamed
