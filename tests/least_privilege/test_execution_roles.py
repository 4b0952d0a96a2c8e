"""The jobs' own roles: nothing is missing and nothing is too much."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.least_privilege.app import JOBS, SEALED, TOPIC_KEY
from tests.least_privilege.deployed import Deployed, job_of
from tests.least_privilege.handler_run import HandlerRun
from tests.least_privilege.mutations import Mutation
from tests.least_privilege.proof import prove
from tests.least_privilege.service_calls import first_denial

pytestmark = pytest.mark.xdist_group("least_privilege_jobs")

_numbers = itertools.count()
#: The embedded engine runs these to the end.
RUN = ("Directory", "Bucket")
#: An image of each of the others.
IMAGE = {
    "Automated": "s3://all-images/photos/a.png",
    "Streaming": "s3://all-images/photos/a.png",
    "File": f"s3://{SEALED}/photos/a.png",
}


def run_job(deployed: Deployed, kind: str, role_arn: str) -> str:
    """Run a job with a role on the embedded engine; the reason if it fails, or an object does."""
    sagemaker = deployed.admin.client("sagemaker")
    properties = deployed.jobs[job_of(deployed, kind)]
    name = f"{properties['JobNamePrefix']}-0123abcd-{next(_numbers):08x}"
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
    with at_work.role_with(name, policies) as (arn, session):
        for kind in RUN:
            logical_id = job_of(at_work, kind)
            answer = HandlerRun(at_work, arn, session).event(logical_id, "Create", at_work.jobs[logical_id])
            assert answer["Status"] == "SUCCESS", answer["Reason"]
    return at_work


def refusal(deployed: Deployed, kind: str, like: str, policies: dict[str, Any]) -> str:
    """What stands in the way of a job with such a role; empty if nothing does."""
    with deployed.role_with(like, policies) as (arn, session):
        job = deployed.jobs[job_of(deployed, kind)]
        topic_key = deployed.named(TOPIC_KEY, "Arn")
        why = first_denial(
            session,
            deployed.simulate(arn),
            job=job,
            role_arn=arn,
            image=IMAGE.get(kind, ""),
            topic_key=topic_key,
        )
        if why or kind not in RUN:
            return why
        try:
            return run_job(deployed, kind, arn)
        except ClientError as error:
            return str(error)


@pytest.mark.parametrize("kind", JOBS)
def test_a_jobs_role_needs_all_it_may_and_may_all_it_needs(
    staged: Deployed, kind: str, record_property: Any
) -> None:
    logical_id = next(
        name
        for name, each in staged.template["Resources"].items()
        if each["Type"] == "AWS::IAM::Role" and name.startswith(f"{kind}ExecutionRole")
    )
    like, policies = staged.role_of(logical_id)
    assert refusal(staged, kind, like, policies) == ""

    def without(mutation: Mutation) -> str:
        return refusal(staged, kind, like, mutation.policies)

    prove(f"the role of {kind}", policies, without, record_property)
