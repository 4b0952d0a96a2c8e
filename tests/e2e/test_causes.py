"""What is wrong is said by the deploy, with its cause: not days later by workers who get no task."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import aws_kms as kms

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from ground_truth_local.cdk_cli import CdkError
from tests.e2e.conftest import LABELS, Deployer

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("e2e-causes")]


def of_type(resources, kind, starting_with=""):
    return [
        resource
        for logical_id, resource in resources.items()
        if resource["Type"] == kind and logical_id.startswith(starting_with)
    ]


def without_action(statements, action) -> None:
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [each for each in actions if each != action] or ["sts:GetCallerIdentity"]


def role_without(action):
    def change(resources) -> None:
        [role] = of_type(resources, "AWS::IAM::Role", "Job")
        for policy in role["Properties"]["Policies"]:
            without_action(policy["PolicyDocument"]["Statement"], action)
        for policy in of_type(resources, "AWS::IAM::Policy", "Job"):
            without_action(policy["Properties"]["PolicyDocument"]["Statement"], action)

    return change


def without_cors(resources) -> None:
    for bucket in of_type(resources, "AWS::S3::Bucket"):
        bucket["Properties"].pop("CorsConfiguration", None)


def request_with(**changes):
    def change(resources) -> None:
        [job] = of_type(resources, "Custom::SemanticSegmentationLabelingJob")
        for path, value in changes.items():
            *parents, last = path.split("__")
            target = job["Properties"]["Request"]
            for parent in parents:
                target = target[parent]
            target[last] = value

    return change


MISSING_CATEGORIES = "s3://cdk-hnb659fds-assets-111122223333-us-east-1/no-such-categories.json"
WRONG_ACCOUNT = "arn:aws:lambda:us-east-1:568282634449:function:PRE-SemanticSegmentation"

CASES = {
    "RoleRead": (role_without("s3:GetObject"), r"JobExecutionRole.*s3:GetObject"),
    "RoleWrite": (role_without("s3:PutObject"), r"JobExecutionRole.*s3:PutObject"),
    "RoleKey": (role_without("kms:Decrypt"), r"JobExecutionRole.*kms:Decrypt"),
    "NoCors": (without_cors, r"CORS"),
    "NoCategories": (
        request_with(LabelCategoryConfigS3Uri=MISSING_CATEGORIES),
        r"label category file.*no-such-categories\.js",
    ),
    "WrongAccount": (
        request_with(HumanTaskConfig__PreHumanTaskLambdaArn=WRONG_ACCOUNT),
        r"568282634449.*432418664414",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_deploy_fails_and_names_the_cause(deployer: Deployer, sagemaker: Any, photos: Any, name) -> None:
    break_template, message = CASES[name]

    def build(stack, team):
        return SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=Images.from_directory(photos),
            labels=LABELS,
            workteam=team,
            job_name_prefix=f"broken-{name.lower()}",
            encryption_key=kms.Key(stack, "Key") if name == "RoleKey" else None,
        )

    with pytest.raises(CdkError) as failed:
        deployer(name, build, break_template=break_template)
    said = re.sub(r"\s+", " ", str(failed.value))
    assert re.search(message, said), said[-2000:]
    jobs = sagemaker.list_labeling_jobs(NameContains=f"broken-{name.lower()}")["LabelingJobSummaryList"]
    assert not jobs, "nothing is created that is known to fail"
