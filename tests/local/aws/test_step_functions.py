"""State machines make labeling jobs, as their own role."""

from __future__ import annotations

import json
import time

import pytest

STATES = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}


@pytest.fixture(params=["states.amazonaws.com", "states.us-east-1.amazonaws.com"])
def run(request: pytest.FixtureRequest, admin):
    """Run one task as a role that may do `actions`; return the execution's description and the role."""
    iam, states = admin.client("iam"), admin.client("stepfunctions")

    def execute(resource, parameters, *actions, catch=False):
        name = f"machine-{time.monotonic_ns()}"
        trusted = {**STATES, "Principal": {"Service": request.param}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": [*actions, "s3:ListAllMyBuckets"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
        task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
        definition = json.dumps({"StartAt": "T", "States": {"T": task}})
        machine = states.create_state_machine(name=name, definition=definition, roleArn=role)
        arn = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        for _ in range(200):
            found = states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return found, name
            time.sleep(0.05)
        raise AssertionError("the execution doesn't end")

    return execute


def test_a_task_is_answered_by_the_service_as_the_machines_role(run) -> None:
    found, role = run(
        "arn:aws:states:::aws-sdk:sagemaker:describeWorkteam",
        {"WorkteamName": "nobodys"},
        "sagemaker:DescribeWorkteam",
    )
    # No such team: the stand-in's own answer, as the SDK names it.
    assert (found["status"], found["error"]) == ("FAILED", "SageMaker.SageMakerException")
    assert "No such team nobodys" in found["cause"]
    found, role = run(
        "arn:aws:states:::aws-sdk:sagemaker:describeLabelingJob",
        {"LabelingJobName": "j"},
        "sagemaker:DescribeLabelingJob",
    )
    assert found["status"] == "SUCCEEDED", found
    assert f":assumed-role/{role}/" in json.loads(found["output"])["LabelingJobArn"]


def test_a_role_that_may_not_fails_the_task(run) -> None:
    found, _ = run("arn:aws:states:::aws-sdk:sagemaker:describeLabelingJob", {"LabelingJobName": "j"})
    assert found["status"] == "FAILED"
    assert "not authorized to perform: sagemaker:DescribeLabelingJob" in found["cause"]


@pytest.mark.parametrize("resource", ["aws-sdk:sagemaker:createLabelingJob", "sagemaker:createLabelingJob"])
def test_parameters_are_held_against_the_service_model(run, resource: str) -> None:
    found, _ = run(f"arn:aws:states:::{resource}", {"LabelingJobName": "j"}, "sagemaker:CreateLabelingJob")
    assert found["status"] == "FAILED"
    assert "Missing required parameter" in found["cause"]


def test_an_action_that_does_not_exist_is_named(run) -> None:
    found, _ = run("arn:aws:states:::aws-sdk:sagemaker:labelEverything", {})
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert "labelEverything" in found["cause"]
