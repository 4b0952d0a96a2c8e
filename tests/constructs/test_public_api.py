"""What users may rely on; a change here is a change of the API."""

from __future__ import annotations

import inspect

import cdk_ground_truth
from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam
from cdk_ground_truth.owned_job import OwnedLabelingJob

EXPORTED = [
    "AutomatedLabeling",
    "CostCeiling",
    "EarlierLabels",
    "ExamplePicture",
    "GroundTruthMetrics",
    "Hardening",
    "ILabelingJob",
    "Images",
    "Instructions",
    "Only",
    "Preflight",
    "PriceTier",
    "Prices",
    "SemanticSegmentationAdjustmentJob",
    "SemanticSegmentationLabelingJob",
    "SemanticSegmentationVerificationJob",
    "StoppingConditions",
    "WorkerTemplate",
    "Workteam",
]
ARGUMENTS = """
    images labels workteam instructions worker_template task_title task_description task_keywords
    number_of_human_workers_per_data_object task_time_limit task_availability_lifetime
    max_concurrent_task_count stopping_conditions label_attribute_name job_name_prefix content_classifiers
    automated_labeling output_topic tags input_bucket output_bucket output_prefix encryption_key role
    removal_policy probation preflight cost_ceiling
"""
ATTRIBUTES = """
    alarm_unanswered cdk_tag_manager handler_role input_bucket job_arn job_name job_name_prefix
    label_attribute_name log_group
    output_bucket output_manifest_s3_uri output_s3_uri role workteam_arn
"""


def public(kind: type) -> list[str]:
    return sorted(name for name in vars(kind) if not name.startswith("_"))


def test_exports():
    assert cdk_ground_truth.__all__ == EXPORTED == sorted(EXPORTED)
    assert all(hasattr(cdk_ground_truth, name) for name in EXPORTED)


def test_the_jobs_arguments_and_attributes():
    parameters = dict(inspect.signature(SemanticSegmentationLabelingJob.__init__).parameters)
    assert list(parameters) == ["self", "scope", "construct_id", *ARGUMENTS.split()]
    for name in ARGUMENTS.split():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        required = parameters[name].default is inspect.Parameter.empty
        assert required == (name in ("images", "labels", "workteam"))
        documented = inspect.getdoc(SemanticSegmentationLabelingJob.__init__) or ""
        assert f"    {name}: " in documented
    own = {*public(SemanticSegmentationLabelingJob), *public(OwnedLabelingJob)}
    assert sorted(own) == ATTRIBUTES.split()


def test_the_factories():
    assert public(Images) == [
        "bind",
        "from_bucket",
        "from_directory",
        "from_job",
        "from_manifest",
        "from_manifest_file",
        "from_topic",
    ]
    assert public(Workteam) == ["from_cfn_workteam", "from_workteam_arn", "workteam_arn"]
