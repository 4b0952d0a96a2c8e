"""Describe, stop, list, tags, names and work teams."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from ground_truth_local.service import authorization
from ground_truth_local.service.quotas import Quotas
from ground_truth_local.service.types import Call
from tests.local.service.conftest import Clock, FakeAws, Tools


def parsed(operation, body, status=200):
    """Read an answer as botocore does, from the wire."""
    loader = botocore.session.get_session().get_component("data_loader")
    service = ServiceModel(loader.load_service_model("sagemaker", "service-2"))
    shape = service.operation_model(operation).output_shape
    wire = {"status_code": status, "headers": {}, "body": json.dumps(body).encode()}
    return create_parser("json").parse(wire, shape), shape


def assert_shape(body, shape, path="$") -> None:
    """Fail where a body lacks a required member or has one that the model doesn't know."""
    if shape.type_name == "structure":
        unknown = set(body) - set(shape.members)
        assert not unknown, f"{path}: {unknown}"
        missing = set(shape.required_members) - set(body)
        assert not missing, f"{path}: {missing}"
        for name, value in body.items():
            assert_shape(value, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for item in body:
            assert_shape(item, shape.member, f"{path}[]")


@pytest.fixture
def still(aws: FakeAws, clock: Clock, tools: type[Tools]):
    """A service whose engine doesn't run: jobs stay Initializing."""
    made = tools.Harness(aws, clock)
    yield made
    made.service.stop()


def test_answers_are_of_the_models_shape(still) -> None:
    still.create(Tags=[{"Key": "a", "Value": "b"}], StoppingConditions={"MaxHumanLabeledObjectCount": 2})
    team = still.describe()["HumanTaskConfig"]["WorkteamArn"]
    for operation, body in {
        "DescribeLabelingJob": {"LabelingJobName": "streets"},
        "ListLabelingJobs": {},
        "ListLabelingJobsForWorkteam": {"WorkteamArn": team},
        "DescribeWorkteam": {"WorkteamName": "annotators"},
        "ListWorkteams": {},
        "ListTags": {"ResourceArn": still.describe()["LabelingJobArn"]},
    }.items():
        answer = still.call(operation, body)
        assert answer.status == 200, answer.body
        read, shape = parsed(operation, answer.body)
        assert_shape(answer.body, shape)
        assert set(read) - {"ResponseMetadata"} == set(answer.body)


def test_describe_repeats_the_request_and_fills_in_the_documented_defaults(still, tools: type[Tools]) -> None:
    asked = tools.request(OutputConfig__KmsKeyId=tools.KEY, HumanTaskConfig__TaskKeywords=["road"])
    still.call("CreateLabelingJob", asked)
    job = still.describe("STREETS")
    defaults = {"MaxConcurrentTaskCount": 1_000, "TaskAvailabilityLifetimeInSeconds": 2_592_000}
    assert job["HumanTaskConfig"] == asked["HumanTaskConfig"] | defaults
    for member in (
        "InputConfig",
        "OutputConfig",
        "RoleArn",
        "LabelAttributeName",
        "LabelCategoryConfigS3Uri",
    ):
        assert job[member] == asked[member]
    assert job["LabelingJobStatus"] == "Initializing"
    assert job["LabelingJobArn"] == f"arn:aws:sagemaker:{tools.REGION}:{tools.ACCOUNT}:labeling-job/streets"
    assert "FailureReason" not in job and "LabelingJobOutput" not in job


def test_a_name_is_taken_for_ever_whatever_its_case(still) -> None:
    assert still.create("Streets").status == 200
    assert still.create("sTREETS").body["__type"] == "ResourceInUse"
    still.call("StopLabelingJob", {"LabelingJobName": "Streets"})
    assert still.create("streets").body["__type"] == "ResourceInUse"


def test_names_are_by_account_and_region(still) -> None:
    still.create()
    assert still.call("DescribeLabelingJob", {"LabelingJobName": "streets"}, region="us-east-1").status == 400
    other = still.call("DescribeLabelingJob", {"LabelingJobName": "streets"}, account="999988887777")
    assert other.body["__type"] == "ResourceNotFound"


def test_too_many_live_jobs_are_refused(aws: FakeAws, clock: Clock, tools: type[Tools]) -> None:
    harness = tools.Harness(aws, clock, quotas=Quotas(jobs=1))
    assert harness.create("a").status == 200
    assert harness.create("b").body["__type"] == "ResourceLimitExceeded"
    harness.service.stop()


def test_more_objects_than_the_quota_fail_the_job(aws: FakeAws, clock: Clock, tools: type[Tools]) -> None:
    harness = tools.Harness(aws, clock, quotas=Quotas(objects=1))
    harness.service.start()
    harness.create()
    reason = harness.wait("Failed")["FailureReason"]
    harness.service.stop()
    assert "has more than 1 data objects" in reason


def test_a_quota_of_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Quotas(jobs=0)


@pytest.mark.parametrize("operation", ["DescribeLabelingJob", "StopLabelingJob"])
def test_an_unknown_job_is_not_found(still, operation: str) -> None:
    answer = still.call(operation, {"LabelingJobName": "nothing"})
    assert (answer.status, answer.body["__type"]) == (400, "ResourceNotFound")


def test_a_job_stops_from_initializing_and_stopping_again_changes_nothing(still) -> None:
    still.create()
    for _ in range(2):
        assert still.call("StopLabelingJob", {"LabelingJobName": "streets"}).body == {}
        assert still.describe()["LabelingJobStatus"] == "Stopping"


def test_an_ended_job_cannot_be_stopped(harness: Any) -> None:
    harness.create()
    harness.call("StopLabelingJob", {"LabelingJobName": "streets"})
    harness.wait("Stopped")
    answer = harness.call("StopLabelingJob", {"LabelingJobName": "streets"})
    assert answer.body["__type"] == "ValidationException"
    assert "in status Stopped" in answer.body["message"]


def test_jobs_are_listed_by_filters_and_pages(still, clock: Clock) -> None:
    for name in ("cats", "Dogs", "street-cats"):
        still.create(name)
        clock.advance(10)
    still.call("StopLabelingJob", {"LabelingJobName": "cats"})

    def names(**body):
        answer = still.call("ListLabelingJobs", body)
        assert answer.status == 200, answer.body
        return [job["LabelingJobName"] for job in answer.body["LabelingJobSummaryList"]]

    assert names() == ["cats", "Dogs", "street-cats"]
    assert names(SortOrder="Descending") == ["street-cats", "Dogs", "cats"]
    assert names(SortBy="Name") == ["cats", "Dogs", "street-cats"]
    assert names(NameContains="CATS") == ["cats", "street-cats"]
    assert names(StatusEquals="Stopping") == ["cats"]
    middle = still.describe("Dogs")["CreationTime"]
    assert names(CreationTimeAfter=middle - 1, CreationTimeBefore=middle + 1) == ["Dogs"]
    first = still.call("ListLabelingJobs", {"MaxResults": 2}).body
    assert [job["LabelingJobName"] for job in first["LabelingJobSummaryList"]] == ["cats", "Dogs"]
    assert names(NextToken=first["NextToken"], MaxResults=2) == ["street-cats"]
    assert still.call("ListLabelingJobs", {"NextToken": "x"}).body["__type"] == "ValidationException"


def test_tags_of_a_job(still) -> None:
    still.create(Tags=[{"Key": "a", "Value": "1"}])
    arn = still.describe()["LabelingJobArn"]
    added = still.call(
        "AddTags", {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]}
    )
    assert added.body["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    still.call("DeleteTags", {"ResourceArn": arn, "TagKeys": ["a", "zzz"]})
    assert still.call("ListTags", {"ResourceArn": arn}).body == {"Tags": [{"Key": "b", "Value": ""}]}
    assert still.describe()["Tags"] == [{"Key": "b", "Value": ""}]
    assert still.call("ListTags", {"ResourceArn": arn + "x"}).body["__type"] == "ResourceNotFound"


COGNITO = {
    "CognitoMemberDefinition": {"UserPool": "eu-west-1_abc", "UserGroup": "group", "ClientId": "client"}
}


def test_a_work_teams_life(still, tools: type[Tools]) -> None:
    body = {"WorkteamName": "Team", "MemberDefinitions": [COGNITO], "Description": "d"}
    arn = still.call("CreateWorkteam", body).body["WorkteamArn"]
    assert arn == f"arn:aws:sagemaker:{tools.REGION}:{tools.ACCOUNT}:workteam/private-crowd/team"
    assert still.call("CreateWorkteam", body).body["__type"] == "ResourceInUse"
    assert len(still.service.queue.members(arn)) == 9
    still.call("UpdateWorkteam", {"WorkteamName": "Team", "Description": "other"})
    team = still.call("DescribeWorkteam", {"WorkteamName": "team"}).body["Workteam"]
    assert team["Description"] == "other" and team["MemberDefinitions"] == [COGNITO]
    still.create(HumanTaskConfig__WorkteamArn=arn)
    assert still.call("DeleteWorkteam", {"WorkteamName": "Team"}).body["__type"] == "ValidationException"
    still.call("StopLabelingJob", {"LabelingJobName": "streets"})
    still.service.start()
    still.wait("Stopped")
    assert still.call("DeleteWorkteam", {"WorkteamName": "Team"}).body == {"Success": True}
    assert still.call("DescribeWorkteam", {"WorkteamName": "Team"}).status == 400


def test_a_team_of_two_kinds_of_members_is_refused(still) -> None:
    definitions = [COGNITO, {"OidcMemberDefinition": {"Groups": ["g"]}}]
    answer = still.call(
        "CreateWorkteam", {"WorkteamName": "t", "MemberDefinitions": definitions, "Description": "d"}
    )
    assert "either CognitoMemberDefinition or OidcMemberDefinition" in answer.body["message"]


def call(tools, operation, body):
    return Call(
        operation=operation,
        body=body,
        account=tools.ACCOUNT,
        region=tools.REGION,
        principal_arn="arn:aws:iam::111122223333:user/x",
        access_key="k",
    )


def test_creating_needs_the_call_the_tags_and_the_role(still, tools: type[Tools]) -> None:
    checks = still.service.authorization(
        call(tools, "CreateLabelingJob", tools.request(Tags=[{"Key": "a", "Value": "b"}]))
    )
    assert [(check.action, check.resource_arn) for check in checks] == [
        (
            "sagemaker:CreateLabelingJob",
            f"arn:aws:sagemaker:{tools.REGION}:{tools.ACCOUNT}:labeling-job/streets",
        ),
        ("sagemaker:AddTags", f"arn:aws:sagemaker:{tools.REGION}:{tools.ACCOUNT}:labeling-job/streets"),
        ("iam:PassRole", tools.ROLE),
    ]
    assert checks[0].context["aws:RequestTag/a"] == "b"
    assert checks[0].context["aws:TagKeys"] == ["a"]
    assert checks[0].context["sagemaker:WorkteamType"] == "private-crowd"
    assert checks[2].context["iam:PassedToService"] == "sagemaker.amazonaws.com"


def test_stopping_is_checked_with_the_jobs_tags(still, tools: type[Tools]) -> None:
    still.create(Tags=[{"Key": "owner", "Value": "me"}])
    (check,) = still.service.authorization(call(tools, "StopLabelingJob", {"LabelingJobName": "Streets"}))
    assert check.context["aws:ResourceTag/owner"] == "me"


@pytest.mark.parametrize(
    "body", [{}, {"LabelingJobName": 5, "Tags": "x", "RoleArn": []}, {"HumanTaskConfig": "x"}]
)
@pytest.mark.parametrize(
    "operation", ["CreateLabelingJob", "StopLabelingJob", "AddTags", "ListTags", "CreateWorkteam"]
)
def test_authorization_survives_any_body(still, tools: type[Tools], operation: str, body) -> None:
    assert authorization.checks(call(tools, operation, body), still.service._jobs)


def test_an_unknown_operation_is_said_to_be(still) -> None:
    assert still.call("CreateModel", {}).body["__type"] == "UnknownOperationException"


def test_every_action_is_answered(still) -> None:
    for action in still.service.ACTIONS:
        assert still.call(action, {}).body.get("__type") != "UnknownOperationException"
