"""The helper for users' unit tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from cdk_ground_truth import SemanticSegmentationLabelingJob
from cdk_ground_truth.assertions import evaluate, labeling_job, labeling_jobs, policy_statements
from tests.constructs.conftest import role_of


def test_the_effective_request(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    job = add_job(stack, number_of_human_workers_per_data_object=5, tags={"team": "vision"})
    template = Template.from_stack(stack)
    role = role_of(template.to_json()["Resources"])
    found = labeling_job(template, parameters={"AWS::Region": "eu-west-1"})
    task = found.request["HumanTaskConfig"]
    assert task["NumberOfHumanWorkersPerDataObject"] == 5
    assert task["PreHumanTaskLambdaArn"] == (
        "arn:aws:lambda:eu-west-1:568282634449:function:PRE-SemanticSegmentation"
    )
    assert found.request["RoleArn"] == f"<{role}.Arn>"
    assert found.request["OutputConfig"]["S3OutputPath"] == (
        "s3://<CdkGroundTruthOutputBucketE68D8070>/labels"
    )
    assert found.tags == {"team": "vision"}
    assert (found.image_source, found.job_name_prefix) == ("Directory", job.job_name_prefix)
    assert found.logical_id == "JobB9D00F9F" and role in found.depends_on


def test_one_of_several(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    add_job(stack, "One", labels=["a"])
    add_job(stack, "Two", labels=["b"])
    template = Template.from_stack(stack)
    assert [job.job_name_prefix for job in labeling_jobs(template)] == ["test-one", "test-two"]
    assert labeling_job(template, "test-two").logical_id.startswith("Two")
    with pytest.raises(AssertionError, match=r"must have one labeling job, got \['test-one', 'test-two'\]"):
        labeling_job(template)
    with pytest.raises(AssertionError, match="must have one job 'other'"):
        labeling_job(template, "other")


def test_none() -> None:
    assert labeling_jobs({"Resources": {}}) == []
    with pytest.raises(AssertionError, match=r"got \[\]"):
        labeling_job({"Resources": {}})


def test_policy_statements_are_of_one_role_or_all(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    add_job(stack)
    template = Template.from_stack(stack)
    own = policy_statements(template, role_of(template.to_json()["Resources"]))
    assert {each["Sid"] for each in own} >= {"ReadInput", "WriteLabels"}
    assert len(policy_statements(template)) > len(own)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Given"}, "value"),
        ({"Ref": "Other"}, "<Other>"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        ({"Fn::Sub": "${AWS::Partition}/${X}/${Y.Arn}/${!Z}"}, "aws/<X>/<Y.Arn>/${!Z}"),
        ({"Fn::Sub": ["${a}", {"a": {"Ref": "Given"}}]}, "value"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "k"]}, "v"),
        ({"Fn::Select": [1, {"Fn::Split": ["/", "a/b"]}]}, "b"),
        ({"Fn::ImportValue": "Home:X"}, "<Home:X>"),
        ({"Fn::GetAtt": "A.Arn"}, "<A.Arn>"),
        ({"a": [1, {"Fn::GetAtt": ["A", "Arn"]}]}, {"a": [1, "<A.Arn>"]}),
    ],
)
def test_functions_are_evaluated(value, expected) -> None:
    template = {
        "Parameters": {"Given": {"Default": "value"}},
        "Mappings": {"M": {"us-east-1": {"k": "v"}}},
    }
    assert evaluate(template, value) == expected


def test_a_part_of_what_only_cloudformation_knows_is_as_unknown() -> None:
    part = {"Fn::Select": [1, {"Fn::Split": ["||", {"Ref": "AssetVersionKey"}]}]}
    assert evaluate({"Resources": {}}, part) == "<AssetVersionKey>"
