"""Private and vendor teams; what is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_sagemaker as sagemaker

from cdk_ground_truth import SemanticSegmentationLabelingJob, Workteam
from tests.constructs.conftest import Synthesized

ARN = "arn:aws:sagemaker:{}:111122223333:workteam/{}-crowd/team"
PUBLIC = "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"


@pytest.mark.parametrize("kind", ["private", "vendor"])
def test_an_existing_team(stack: Stack, kind: str) -> None:
    arn = ARN.format("us-east-1", kind)
    assert Workteam.from_workteam_arn(stack, "Team", arn).workteam_arn == arn


def test_the_public_team_is_gone(stack: Stack) -> None:
    with pytest.raises(ValueError, match=r"Mechanical Turk.*closed on 2026-09-30; private and vendor remain"):
        Workteam.from_workteam_arn(stack, "Team", PUBLIC)


@pytest.mark.parametrize(
    "arn", ["", "team", None, "arn:aws:sagemaker:us-east-1:1:workteam/x", ARN.format("us-east-1", "x" * 256)]
)
def test_what_is_no_teams_arn(stack: Stack, arn) -> None:
    with pytest.raises(ValueError, match=r"^Test/Team: 'workteam_arn' must be the ARN of a work team"):
        Workteam.from_workteam_arn(stack, "Team", arn)


def test_another_region_than_the_stacks(
    new_stack: Callable[..., Stack], add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = new_stack(region="eu-west-1")
    with pytest.raises(ValueError, match="be in the stack's Region, eu-west-1"):
        Workteam.from_workteam_arn(stack, "Team", ARN.format("us-east-1", "private"))
    elsewhere = Workteam.from_workteam_arn(new_stack(), "Team", ARN.format("us-east-1", "private"))
    with pytest.raises(ValueError, match="Test/Job: 'workteam_arn' must be in the stack's Region"):
        add_job(stack, workteam=elsewhere)


def test_an_arn_known_at_deploy_time_passes(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    arn = CfnParameter(stack, "Arn").value_as_string
    add_job(stack, workteam=Workteam.from_workteam_arn(stack, "Crew", arn))
    task = synth(stack).jobs()[0]["Properties"]["Request"]["HumanTaskConfig"]
    assert task["WorkteamArn"] == {"Ref": "Arn"}


def test_a_team_of_the_same_app(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    resource = sagemaker.CfnWorkteam(stack, "Crew", description="Annotators", member_definitions=[])
    team = Workteam.from_cfn_workteam(resource)
    assert Workteam.from_cfn_workteam(resource) is team
    add_job(stack, workteam=team)
    task = synth(stack).jobs()[0]["Properties"]["Request"]["HumanTaskConfig"]
    assert task["WorkteamArn"] == {"Ref": "Crew"}
