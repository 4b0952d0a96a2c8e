"""What users may rely on; a change here is a change of the API."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import cdk_ground_truth
from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam
from cdk_ground_truth.own_jobs import OwnJobs
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
    "Runs",
    "SemanticSegmentationAdjustmentJob",
    "SemanticSegmentationLabelingCampaign",
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
    removal_policy probation watch preflight cost_ceiling relabel
"""
ATTRIBUTES = """
    alarm_unanswered cdk_tag_manager handler_role input_bucket job_arn job_name job_name_prefix
    label_attribute_name label_category_config_s3_uri log_group
    output_bucket output_manifest_s3_uri output_s3_uri preflight_warnings role workteam_arn
"""


def public(kind: type) -> list[str]:
    return sorted(name for name in vars(kind) if not name.startswith("_"))


def test_exports() -> None:
    assert cdk_ground_truth.__all__ == EXPORTED == sorted(EXPORTED)
    assert all(hasattr(cdk_ground_truth, name) for name in EXPORTED)
    assert set(EXPORTED) <= set(dir(cdk_ground_truth))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        cdk_ground_truth.Nothing  # noqa: B018


def test_what_types_see_is_what_is_loaded() -> None:
    """The names are listed for readers and type checkers, and again for the loading on demand."""
    source = Path(cdk_ground_truth.__file__).read_text()
    imports = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.level
    ]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert seen == cdk_ground_truth._HOMES
    assert sorted(seen) == EXPORTED


#: Each is asked for by some part of the library; a laptop that checks a manifest may have none.
NOT_NEEDED = ("jsii", "aws_cdk", "constructs", "boto3", "botocore", "urllib3")


def test_the_command_checks_files_without_node_the_cdk_and_boto3(tmp_path: Path) -> None:
    (tmp_path / "photos.manifest").write_text('{"source-ref": "s3://photos/a.jpg"}\n{}\n')
    code = (
        f"import sys; sys.modules |= dict.fromkeys({NOT_NEEDED}); from cdk_ground_truth.cli import main;"
        "sys.exit(main(['check', 'photos.manifest', '--labels', 'road', '--offline']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "ERROR manifest-source" in done.stdout


def test_the_jobs_arguments_and_attributes() -> None:
    parameters = dict(inspect.signature(SemanticSegmentationLabelingJob.__init__).parameters)
    assert list(parameters) == ["self", "scope", "construct_id", *ARGUMENTS.split()]
    for name in ARGUMENTS.split():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        required = parameters[name].default is inspect.Parameter.empty
        assert required == (name in ("images", "labels", "workteam"))
        documented = inspect.getdoc(SemanticSegmentationLabelingJob.__init__) or ""
        assert f"    {name}: " in documented
    own = {*public(SemanticSegmentationLabelingJob), *public(OwnedLabelingJob), *public(OwnJobs)}
    assert sorted(own) == ATTRIBUTES.split()


def test_the_factories() -> None:
    assert public(Images) == [
        "bind",
        "can_be_cut",
        "from_bucket",
        "from_directory",
        "from_job",
        "from_manifest",
        "from_manifest_file",
        "from_topic",
    ]
    assert public(Workteam) == ["from_cfn_workteam", "from_workteam_arn", "workteam_arn"]
