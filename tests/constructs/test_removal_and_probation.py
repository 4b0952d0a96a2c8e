"""What the construct tells the handler about a job's end and its first minutes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import CfnParameter, Duration, RemovalPolicy, Stack
from aws_cdk.assertions import Template

from cdk_ground_truth import SemanticSegmentationLabelingJob
from cdk_ground_truth._rooms import contract

JOB = contract.RESOURCE_TYPE


def properties(stack) -> dict:
    [job] = Template.from_stack(stack).find_resources(JOB).values()
    return job["Properties"]


def test_the_handlers_defaults_are_not_repeated(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    add_job(stack, removal_policy=RemovalPolicy.DESTROY)
    assert not {"RemovalPolicy", "ProbationSeconds", "WatchSeconds"} & set(properties(stack))


def test_all_reach_the_handler(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    minutes = Duration.minutes
    add_job(stack, removal_policy=RemovalPolicy.RETAIN, probation=minutes(30), watch=minutes(5))
    written = properties(stack)
    assert (written["RemovalPolicy"], written["ProbationSeconds"]) == ("Retain", 1800)
    known = {"JobNamePrefix": "p", "Images": {"Source": contract.SOURCE_MANIFEST}, "Request": {}}
    parsed = contract.parse({**written, **known, "Tags": []})
    assert (parsed.removal_policy, parsed.probation_seconds) == (contract.REMOVAL_RETAIN, 1800)
    assert parsed.watch_seconds == 300


def test_a_deploy_that_does_not_wait(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    add_job(stack, probation=Duration.seconds(0))
    assert properties(stack)["ProbationSeconds"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"removal_policy": RemovalPolicy.SNAPSHOT}, "'removal_policy' must be RemovalPolicy.DESTROY or"),
        ({"probation": Duration.minutes(31)}, "'probation' must be 0 to 1,800 seconds"),
        ({"watch": Duration.minutes(6)}, "'watch' must be 0 to 300 seconds"),
        ({"probation": 600}, "'probation' must be an aws_cdk.Duration"),
    ],
)
def test_what_the_handler_could_not_do_is_refused(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], arguments, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        add_job(stack, **arguments)


def test_a_probation_only_known_at_deploy_time_is_refused(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    seconds = CfnParameter(stack, "Seconds", type="Number").value_as_number
    with pytest.raises(ValueError, match="'probation' must be known at synth time"):
        add_job(stack, probation=Duration.seconds(seconds))


def test_the_alarm_counts_events_that_lambda_dropped(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    add_job(stack).alarm_unanswered("Unanswered")
    [alarm] = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm").values()
    assert alarm["Properties"]["MetricName"] == "AsyncEventsDropped"
    assert alarm["Properties"]["Namespace"] == "AWS/Lambda"
