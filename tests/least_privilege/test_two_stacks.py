"""Two stacks in one account, on the embedded AWS: one's handler tries to have the other's job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.least_privilege.deployed import Deployed, job_of
from tests.least_privilege.handler_run import HandlerRun

pytestmark = pytest.mark.xdist_group("least_privilege_handler")

ROLE = "CdkGroundTruthHandlerRole3043096D"
OWNER = "cdk-ground-truth:stack-id"


@pytest.mark.attack("another stack of the account", "a stack's jobs", attempts=8)
def test_a_handler_can_not_take_tag_or_stop_another_stacks_job(deployed: Deployed) -> None:
    like, policies = deployed.role_of(ROLE)
    logical_id = job_of(deployed, "File")
    properties = deployed.jobs[logical_id]
    with deployed.role_with(like, policies) as (arn, session):
        run = HandlerRun(deployed, arn, session)
        made = run.event(logical_id, "Create", properties)
        assert made["Status"] == "SUCCESS", made["Reason"]
        name, job_arn = made["PhysicalResourceId"], made["Data"]["JobArn"]
        other = f"{deployed.stack_id}-other"
        others = json.loads(json.dumps(policies).replace(f'"{deployed.stack_id}"', json.dumps(other)))
        assert others != policies
        with deployed.role_with(like, others) as (_, stranger):
            attack(stranger.client("sagemaker"), name, job_arn, other)
        own = session.client("sagemaker")
        # Nor can the owner give it away.
        for key in (OWNER, OWNER.upper()):
            with pytest.raises(ClientError, match="AccessDenied"):
                own.add_tags(ResourceArn=job_arn, Tags=[{"Key": key, "Value": other}])
        deleted = run.event(logical_id, "Delete", properties, PhysicalResourceId=name)
        assert deleted["Status"] == "SUCCESS", deleted["Reason"]
    about = deployed.admin.client("sagemaker").describe_labeling_job(LabelingJobName=name)
    assert about["LabelingJobStatus"] == "Stopped"


def attack(sagemaker: Any, name: str, job_arn: str, other: str) -> None:
    """All that would make the job the other stack's, or end it; the job stays as it was."""
    before = sagemaker.list_tags(ResourceArn=job_arn)["Tags"]
    attempts = [
        lambda: sagemaker.add_tags(ResourceArn=job_arn, Tags=[{"Key": OWNER, "Value": other}]),
        lambda: sagemaker.add_tags(ResourceArn=job_arn, Tags=[{"Key": OWNER.upper(), "Value": other}]),
        lambda: sagemaker.add_tags(ResourceArn=job_arn, Tags=[{"Key": "team", "Value": "night"}]),
        lambda: sagemaker.delete_tags(ResourceArn=job_arn, TagKeys=[OWNER]),
        lambda: sagemaker.delete_tags(ResourceArn=job_arn, TagKeys=["cdk-ground-truth:fingerprint"]),
        lambda: sagemaker.stop_labeling_job(LabelingJobName=name),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()
    assert sagemaker.list_tags(ResourceArn=job_arn)["Tags"] == before
    assert sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"] == "InProgress"
