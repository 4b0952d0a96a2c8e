"""Two stacks in one account: IAM alone keeps one's handler from the other's jobs.

The verdicts are of an evaluator of somebody else's; `tests/least_privilege` tries it on the embedded AWS.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Stack

from cdk_ground_truth import SemanticSegmentationLabelingJob
from tests.constructs.conftest import Synthesized
from tests.constructs.iam_simulator import verdicts

ACCOUNT, REGION = "444455556666", "eu-west-1"
A = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Test/0"
B = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Other/1"
JOB = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/streets-0123abcd-89abcdef"
OWNER = "cdk-ground-truth:stack-id"
FINGERPRINT = "cdk-ground-truth:fingerprint"


def on_job_of(stack, **more):
    return {f"aws:ResourceTag/{OWNER}": stack, **more}


def tagging(key, value, **more):
    return {f"aws:RequestTag/{key}": value, "aws:TagKeys": [key], **more}


#: What handler A asks for → (action, context, whether it may).
ASKED = {
    "create a job of its own": ("CreateLabelingJob", tagging(OWNER, A), True),
    "create a job of B's": ("CreateLabelingJob", tagging(OWNER, B), False),
    "create a job of nobody's": ("CreateLabelingJob", {}, False),
    "tag what it creates": (
        "AddTags",
        tagging(OWNER, A, **{"sagemaker:TaggingAction": "CreateLabelingJob"}),
        True,
    ),
    "tag what it creates for B": (
        "AddTags",
        tagging(OWNER, B, **{"sagemaker:TaggingAction": "CreateLabelingJob"}),
        False,
    ),
    "tag with another creation": (
        "AddTags",
        tagging(OWNER, A, **{"sagemaker:TaggingAction": "CreateEndpoint"}),
        False,
    ),
    "take B's job": ("AddTags", on_job_of(B, **tagging(OWNER, A)), False),
    "take a job of nobody's": ("AddTags", tagging(OWNER, A), False),
    "take B's job by another case": ("AddTags", on_job_of(B, **tagging(OWNER.upper(), A)), False),
    "tag B's job": ("AddTags", on_job_of(B, **tagging("team", "vision")), False),
    "release B's job": ("AddTags", on_job_of(B, **tagging(FINGERPRINT, "released")), False),
    "untag B's job": ("DeleteTags", on_job_of(B, **{"aws:TagKeys": [OWNER]}), False),
    "stop B's job": ("StopLabelingJob", on_job_of(B), False),
    "stop a job of nobody's": ("StopLabelingJob", {}, False),
    "stop its own": ("StopLabelingJob", on_job_of(A), True),
    "tag its own": ("AddTags", on_job_of(A, **tagging("team", "vision")), True),
    "release its own": ("AddTags", on_job_of(A, **tagging(FINGERPRINT, "released")), True),
    "give its own away": ("AddTags", on_job_of(A, **tagging(OWNER, B)), False),
    "give its own away by another case": ("AddTags", on_job_of(A, **tagging(OWNER.title(), B)), False),
    "hide that among others": (
        "AddTags",
        on_job_of(A, **{f"aws:RequestTag/{OWNER}": B, "aws:TagKeys": ["team", OWNER]}),
        False,
    ),
    "untag its own": ("DeleteTags", on_job_of(A, **{"aws:TagKeys": ["team"]}), True),
    "untag the proof on its own": ("DeleteTags", on_job_of(A, **{"aws:TagKeys": [OWNER.upper()]}), False),
    "look at B's job": ("DescribeLabelingJob", on_job_of(B), True),
}


@pytest.mark.attack("another stack of the account", "a stack's jobs", attempts=len(ASKED))
def test_a_handler_has_its_own_stacks_jobs_alone(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack)
    statements = synth(stack).statements("CdkGroundTruthHandlerRole")
    requests = [(f"sagemaker:{action}", JOB, context) for action, context, _ in ASKED.values()]
    [answers] = verdicts([(statements, requests)])
    assert dict(zip(ASKED, answers, strict=True)) == {name: may for name, (_, _, may) in ASKED.items()}
