"""The built-in functions' ARNs, held against those in botocore's own documentation strings."""

from __future__ import annotations

import re
from collections.abc import Callable

import botocore.session
import pytest
from aws_cdk import Duration, Stack

from cdk_ground_truth import AutomatedLabeling, SemanticSegmentationLabelingJob, Workteam
from tests.constructs.conftest import Synthesized

MODEL = botocore.session.get_session().get_service_model("sagemaker")
ARN = r"arn:aws:lambda:([a-z0-9-]+):\d{12}:function:%s-SemanticSegmentation(?![A-Za-z])"


def documented(shape: str, member: str, kind: str) -> dict[str, str]:
    text = MODEL.shape_for(shape).members[member].documentation
    return {match[1]: match[0] for match in re.finditer(ARN % kind, text)}


PRE = documented("HumanTaskConfig", "PreHumanTaskLambdaArn", "PRE")
ACS = documented("AnnotationConsolidationConfig", "AnnotationConsolidationLambdaArn", "ACS")


def arns(request: dict) -> tuple[str, str]:
    task = request["HumanTaskConfig"]
    consolidation = task["AnnotationConsolidationConfig"]
    return task["PreHumanTaskLambdaArn"], consolidation["AnnotationConsolidationLambdaArn"]


def test_botocore_documents_twelve_regions() -> None:
    assert len(PRE) == 12 and set(PRE) == set(ACS)


@pytest.mark.parametrize("region", sorted(PRE))
def test_literal_arns_in_a_known_region(
    new_stack: Callable[..., Stack],
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    region,
) -> None:
    stack = new_stack(region=region)
    arn = f"arn:aws:sagemaker:{region}:111122223333:workteam/private-crowd/annotators"
    add_job(stack, workteam=Workteam.from_workteam_arn(stack, "Crew", arn))
    template = synth(stack)
    assert arns(template.jobs()[0]["Properties"]["Request"]) == (PRE[region], ACS[region])
    assert "Mappings" not in template.template


def test_a_region_agnostic_stack_looks_the_arns_up(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack, "One", automated_labeling=AutomatedLabeling(), task_time_limit=Duration.hours(8))
    add_job(stack, "Two")
    template = synth(stack)
    assert len(template.template["Mappings"]) == 1
    for region in PRE:
        template.region = region
        request = template.delivered()["Request"]
        assert arns(request) == (PRE[region], ACS[region])
        documented = MODEL.shape_for("LabelingJobAlgorithmsConfig").members[
            "LabelingJobAlgorithmSpecificationArn"
        ]
        specification = request["LabelingJobAlgorithmsConfig"]["LabelingJobAlgorithmSpecificationArn"]
        assert specification.replace(region, "<i>region</i>") in documented.documentation


@pytest.mark.parametrize("region", ["eu-north-1", "us-gov-west-1"])
def test_a_region_without_ground_truth_is_refused_with_the_twelve(
    new_stack: Callable[..., Stack], add_job: Callable[..., SemanticSegmentationLabelingJob], region: str
) -> None:
    stack = new_stack(region=region)
    arn = f"arn:aws:sagemaker:{region}:111122223333:workteam/private-crowd/annotators"
    with pytest.raises(ValueError, match=f"got '{region}'") as raised:
        add_job(stack, workteam=Workteam.from_workteam_arn(stack, "Crew", arn))
    assert all(known in str(raised.value) for known in PRE)
