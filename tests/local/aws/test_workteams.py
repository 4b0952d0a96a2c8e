"""A work team of a template, on the service itself: what changes in place, and what makes another team."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local.aws.conftest import settled


@pytest.fixture
def team(aws_session) -> Iterator[Callable[..., str]]:
    """Give a function that creates or updates one stack with a work team, and returns the team's ARN."""
    client = aws_session.client("cloudformation")
    pools = aws_session.client("cognito-idp")
    pool = pools.create_user_pool(PoolName="people")["UserPool"]["Id"]
    app = pools.create_user_pool_client(UserPoolId=pool, ClientName="portal")["UserPoolClient"]["ClientId"]
    pools.create_group(UserPoolId=pool, GroupName="painters")
    member = {"CognitoUserPool": pool, "CognitoUserGroup": "painters", "CognitoClientId": app}
    name = f"teams-{time.monotonic_ns()}"

    def put(**properties: Any) -> str:
        members = [{"CognitoMemberDefinition": member}]
        made = {
            "Type": "AWS::SageMaker::Workteam",
            "Properties": {"MemberDefinitions": members, **properties},
        }
        template = {"Resources": {"Team": made}, "Outputs": {"Arn": {"Value": {"Ref": "Team"}}}}
        there = [stack["StackName"] for stack in client.describe_stacks()["Stacks"]]
        verb = client.update_stack if name in there else client.create_stack
        verb(StackName=name, TemplateBody=json.dumps(template))
        stack = settled(client, name)
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack["Reasons"]
        return str(stack["Outputs"]["Arn"])

    yield put
    client.delete_stack(StackName=name)


def tags(session: Any, arn: str) -> dict[str, str]:
    found = session.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_words_and_tags_change_in_place_and_others_tags_stay(team, aws_session) -> None:
    sagemaker = aws_session.client("sagemaker")
    arn = team(Description="a", Tags=[{"Key": "one", "Value": "1"}, {"Key": "two", "Value": "2"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost-center", "Value": "7"}])
    assert team(Description="b", Tags=[{"Key": "two", "Value": "II"}, {"Key": "three", "Value": "3"}]) == arn
    described = sagemaker.describe_workteam(WorkteamName=arn.rpartition("/")[2])["Workteam"]
    assert described["Description"] == "b"
    assert tags(aws_session, arn) == {"two": "II", "three": "3", "cost-center": "7"}


def test_another_name_is_another_team(team, aws_session) -> None:
    first = team(WorkteamName="painters-one")
    second = team(WorkteamName="painters-two")
    names = [each["WorkteamName"] for each in aws_session.client("sagemaker").list_workteams()["Workteams"]]
    assert first != second
    assert "painters-two" in names and "painters-one" not in names
