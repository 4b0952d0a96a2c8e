"""Plain arguments: each rule with what just fits and what just doesn't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Aws, CfnParameter, Duration, Fn, Stack, Token

from cdk_ground_truth import (
    AutomatedLabeling,
    CostCeiling,
    Instructions,
    Prices,
    SemanticSegmentationLabelingJob,
    StoppingConditions,
    WorkerTemplate,
)
from cdk_ground_truth._rooms import contract, limits
from cdk_ground_truth.settings import default_job_name_prefix
from tests.constructs.conftest import Synthesized

TAGS = limits.TAGS_MAX - len(contract.ALL_TAGS)
REFUSED = {
    "no label": ({"labels": []}, "category-file: there must be at least one label"),
    "labels as one string": ({"labels": "road"}, r"for a single label write labels=\['road'\]"),
    "empty label": ({"labels": [""]}, "a label must be a name of at least one character: ''"),
    "long label": ({"labels": ["x" * 257]}, "a label must have at most 256 characters"),
    "label with space around": (
        {"labels": [" road"]},
        "have no white space around it, which nobody sees; drop it: ' road'",
    ),
    "label with control character": ({"labels": ["a\tb"]}, "have no control characters or line breaks"),
    "label twice": ({"labels": ["a", "b", "a"]}, "labels must be unique: 'a'"),
    "the service's own label": ({"labels": ["Background"]}, "not be BACKGROUND"),
    "label of another kind": ({"labels": [1]}, "a label must be a name of at least one character: 1"),
    "label known late": ({"labels": [Fn.ref("AWS::Region")]}, "be known at synth time"),
    "21 labels, automated": (
        {"labels": [str(n) for n in range(21)], "automated_labeling": AutomatedLabeling()},
        "automated labeling takes at most 20 labels: 21",
    ),
    "images of another kind": ({"images": "photos"}, r"be made with an Images\.from_… method, got 'photos'"),
    "work team of another kind": ({"workteam": "arn:…"}, r"be made with a Workteam\.from_… method"),
    "instructions and template": (
        {"instructions": Instructions(), "worker_template": WorkerTemplate.from_file("x")},
        "not be given together with worker_template",
    ),
    "empty title": ({"task_title": ""}, "'task_title' must have 1 to 128 characters, got ''"),
    "long title": ({"task_title": "x" * 129}, "it has 129"),
    "long description": ({"task_description": "x" * 256}, "'task_description' must have 1 to 255"),
    "description of two lines": ({"task_description": "a\nb"}, "'task_description' must be one line"),
    "keywords as one string": ({"task_keywords": "cars"}, r"write task_keywords=\['cars'\]"),
    "no keyword": ({"task_keywords": []}, "be 1 to 5 keywords, got '0 keywords'"),
    "six keywords": ({"task_keywords": list("abcdef")}, "be 1 to 5 keywords"),
    "keyword with a dash": ({"task_keywords": ["a-b"]}, "letters and digits with single spaces"),
    "keyword with two spaces": ({"task_keywords": ["a  b"]}, "single spaces"),
    "long keyword": ({"task_keywords": ["x" * 31]}, "have 1 to 30 characters"),
    "no worker": ({"number_of_human_workers_per_data_object": 0}, "be 1 to 9, got 0"),
    "ten workers": ({"number_of_human_workers_per_data_object": 10}, "be 1 to 9, got 10"),
    "half a worker": ({"number_of_human_workers_per_data_object": 1.5}, "be a whole number, got 1.5"),
    "true workers": ({"number_of_human_workers_per_data_object": True}, "be a whole number, got True"),
    "workers in words": ({"number_of_human_workers_per_data_object": "3"}, "be a whole number, got '3'"),
    "workers in letters": ({"number_of_human_workers_per_data_object": "three"}, "be a whole number"),
    "short time limit": ({"task_time_limit": Duration.seconds(29)}, "30 seconds to 8 hours.*29 seconds"),
    "long time limit": ({"task_time_limit": Duration.hours(9)}, r"be 30 to 28,800 seconds"),
    "time limit as number": ({"task_time_limit": 60}, r"be an aws_cdk\.Duration, got 60"),
    "long availability": ({"task_availability_lifetime": Duration.days(31)}, "1 minute to 30 days"),
    "short availability": ({"task_availability_lifetime": Duration.seconds(59)}, "59 seconds"),
    "no concurrent task": ({"max_concurrent_task_count": 0}, "be 1 to 5,000, got 0"),
    "many concurrent tasks": ({"max_concurrent_task_count": 5001}, "be 1 to 5,000, got 5001"),
    "empty stopping conditions": ({"stopping_conditions": StoppingConditions()}, "at least one condition"),
    "stop after none": (
        {"stopping_conditions": StoppingConditions(max_human_labeled_object_count=0)},
        "max_human_labeled_object_count' must be at least 1, got 0",
    ),
    "stop after 101 %": (
        {"stopping_conditions": StoppingConditions(max_percentage_of_input_dataset_labeled=101)},
        "be 1 to 100, got 101",
    ),
    "reserved attribute": ({"label_attribute_name": "source-ref"}, "the input's own attribute"),
    "attribute without -ref": ({"label_attribute_name": "label"}, "end in '-ref'.*for example 'label-ref'"),
    "attribute with -metadata": ({"label_attribute_name": "a-metadata"}, "for example 'a-ref'"),
    "attribute with underscore": ({"label_attribute_name": "a_b-ref"}, "letters and digits with '-'"),
    "long attribute": ({"label_attribute_name": "x" * 124 + "-ref"}, "have 1 to 127 characters"),
    "upper-case prefix": ({"job_name_prefix": "Streets"}, "lower-case letters and digits"),
    "prefix with dash at its end": ({"job_name_prefix": "a-"}, "lower-case letters and digits"),
    "long prefix": ({"job_name_prefix": "x" * 46}, "have 1 to 45 characters"),
    "prefix known late": ({"job_name_prefix": Fn.ref("AWS::StackName")}, "be known at synth time"),
    "classifier of one's own": ({"content_classifiers": ["Nice"]}, "FreeOfAdultContent, got 'Nice'"),
    "classifiers as one string": ({"content_classifiers": "FreeOfAdultContent"}, "be a list of strings"),
    "output prefix with slash": ({"output_prefix": "labels/"}, "without slash at its ends"),
    "output prefix with star": ({"output_prefix": "a*"}, "be like 'labels'"),
    "output prefix of another kind": ({"output_prefix": None}, "be like 'labels'"),
    "no output prefix": ({"output_prefix": ""}, "be like 'labels'"),
    "model that is none": (
        {"automated_labeling": AutomatedLabeling(initial_model_arn="x")},
        "be a SageMaker model's ARN",
    ),
    "more tags than the service takes beside our own": (
        {"tags": {str(n): "x" for n in range(TAGS + 1)}},
        rf"at most {TAGS} \(50 less the library's own\), got {TAGS + 1}",
    ),
    "AWS's tag": ({"tags": {"aws:x": "y"}}, "no key that starts with 'aws:'"),
    "our tag in another case": ({"tags": {"CDK-Ground-Truth:Stack-Id": "y"}}, "starts with .* in any case"),
    "tag key that only CloudFormation knows": (
        {"tags": {Aws.STACK_NAME: "y"}},
        "keys that are known at synth",
    ),
    "tag value the service refuses": (
        {"tags": {"a": "R&D"}},
        r"'tags.a' must be of letters.*got '&'",
    ),
    "tag key the service refuses": ({"tags": {"a,b": "y"}}, r"got ',' in the key 'a,b'"),
    "currency that no tag takes": (
        {"cost_ceiling": CostCeiling(prices=Prices(currency="€", source="page", as_of="2026-11-23"))},
        "prices.currency' must be of letters.*write 'USD'",
    ),
    "prices of two lines": (
        {"cost_ceiling": CostCeiling(prices=Prices(currency="USD", source="a\nb", as_of="2026-11-23"))},
        "prices.source' must be one line",
    ),
    "our tag": ({"tags": {"cdk-ground-truth:x": "y"}}, "no key that starts with"),
    "tag of another kind": ({"tags": {"a": 1}}, "'tags' must be strings, got 'a': 1"),
    "empty tag key": ({"tags": {"": "y"}}, "keys of 1 to 128 characters"),
    "long tag value": ({"tags": {"a": "y" * 257}}, r"'tags.a' must have at most 256"),
}
ACCEPTED = {
    "256 characters": {"labels": ["x" * 256]},
    "quotes and Unicode": {"labels": ['tree\'s "crown"', "Straße", "道路"]},
    "20 labels, automated": {
        "labels": [str(n) for n in range(20)],
        "automated_labeling": AutomatedLabeling(),
    },
    "bounds, low": {
        "number_of_human_workers_per_data_object": 1,
        "task_time_limit": Duration.seconds(30),
        "task_availability_lifetime": Duration.minutes(1),
        "max_concurrent_task_count": 1,
        "task_title": "x",
        "tags": {},
    },
    "bounds, high": {
        "number_of_human_workers_per_data_object": 9,
        "task_time_limit": Duration.hours(8),
        "task_availability_lifetime": Duration.days(30),
        "max_concurrent_task_count": 5000,
        "task_title": "x" * 128,
        "task_description": "x" * 255,
        "task_keywords": ["x" * 30] * 5,
        "job_name_prefix": "x" * 45,
        "tags": {f"{n}": "x" for n in range(TAGS)},
    },
    "empty list": {"content_classifiers": []},
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], arguments, message
) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        add_job(stack, **arguments)
    assert str(raised.value).startswith("Test/Job: ")
    # One line for each kind, between who and where to read on, where it is a deploy's rule as well.
    assert str(raised.value).count("\n") == (2 if "ERROR" in str(raised.value) else 0)


@pytest.mark.parametrize("arguments", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], arguments) -> None:
    add_job(stack, **arguments)


def test_half_a_vpc_is_refused(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    from aws_cdk import aws_ec2 as ec2

    subnet = ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-1")
    with pytest.raises(ValueError, match="have both subnets and security_groups"):
        add_job(stack, automated_labeling=AutomatedLabeling(subnets=[subnet]))
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    with pytest.raises(ValueError, match="subnets' must have at most 16 items, got 17"):
        add_job(
            stack,
            "Other",
            automated_labeling=AutomatedLabeling(subnets=[subnet] * 17, security_groups=[group]),
        )


def test_tokens_pass_every_check(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    text = CfnParameter(stack, "Text").value_as_string
    number: Any = CfnParameter(stack, "Number", type="Number").value_as_number
    add_job(
        stack,
        task_title=text,
        task_description=text,
        task_keywords=[text],
        number_of_human_workers_per_data_object=number,
        max_concurrent_task_count=number,
        task_time_limit=Duration.seconds(number),
        label_attribute_name=text,
        content_classifiers=[text],
        stopping_conditions=StoppingConditions(max_human_labeled_object_count=number),
        tags={"a": text},
        automated_labeling=AutomatedLabeling(initial_model_arn=text),
    )
    request = synth(stack).jobs()[0]["Properties"]["Request"]
    assert request["HumanTaskConfig"]["TaskTimeLimitInSeconds"] == {"Ref": "Number"}
    assert request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == {"Ref": "Number"}
    assert request["LabelAttributeName"] == {"Ref": "Text"}
    assert not Token.is_unresolved(request["RoleArn"])


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("Streets/Job", "streets-job"),
        ("A__b//C", "a-b-c"),
        ("日本", "labeling-job"),
        ("Start/" + "x" * 60, "x" * 45),
        ("Start-" * 10 + "End", "rt-start-start-start-start-start-start-start-end"[3:]),
    ],
)
def test_a_name_from_the_path(path, prefix) -> None:
    assert default_job_name_prefix(path) == prefix
    assert len(prefix) <= 45
