"""A peer's stack on the embedded AWS: aiops-modules' Ground Truth module, which isn't kept here.

    git clone https://github.com/awslabs/aiops-modules FOLDER
    python -m tests.interop.aiops FOLDER/modules/sagemaker/sagemaker-ground-truth-labeling

Deploys the module's own stack, less its feature group, which the embedded AWS doesn't have; puts photographs
into its bucket, starts its state machine, has simulated workers label and verify, and prints where the
machine went. The second time everybody declines: the machine then ends as on AWS, in its failed state.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from PIL import Image

from ground_truth_local.server import EmbeddedAws
from ground_truth_local.testing import GroundTruth, Workers

ENDS = {
    "Labeling Pipeline execution succeeded": Workers(),
    "Labeling Pipeline execution failed": Workers(declines=["*"]),
}
_FILES, _PHOTOGRAPHS, _MINUTES = "aiops-files", 3, 10
_HEAD = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>"""
_TAIL = """<full-instructions header="How">x</full-instructions>
<short-instructions>y</short-instructions>"""
_SOURCE = 'src="{{ task.input.taskObject | grant_read_access }}"'
_LABELS = "{{ task.input.labels | to_json | escape }}"
_SEGMENTATION = f"""{_HEAD}<crowd-semantic-segmentation name="crowd-semantic-segmentation" header="Paint"
{_SOURCE} labels="{_LABELS}">{_TAIL}</crowd-semantic-segmentation></crowd-form>"""
_VERIFICATION = f"""{_HEAD}<crowd-image-classifier name="crowd-image-classifier" header="Check" {_SOURCE}
categories="{_LABELS}" overlay='{{"semanticSegmentation": {{"labels": ["road", "sky"], "labelMappings": {{}},
"src": "{{{{ task.input.manifestLine.label-ref | grant_read_access }}}}"}}}}'>{_TAIL}
</crowd-image-classifier></crowd-form>"""


def _without_nag() -> None:
    """Stand in for `cdk_nag`, which only suppresses its own findings there."""
    nag = ModuleType("cdk_nag")
    nothing: Callable[..., None] = lambda *_, **__: None  # noqa: E731
    nag.NagSuppressions = SimpleNamespace(  # type: ignore[attr-defined]
        add_stack_suppressions=nothing, add_resource_suppressions=nothing
    )
    nag.NagPackSuppression = lambda **_: None  # type: ignore[attr-defined]
    sys.modules["cdk_nag"] = nag


def _build(team: str) -> Callable[[Any], None]:
    """A function that puts the module's stack into an app."""
    import stack as module  # type: ignore[import-not-found]

    class Stack(module.DeployGroundTruthLabelingStack):
        def create_feature_group(self, *_: Any, feature_group_name: str, **__: Any) -> Any:
            return SimpleNamespace(feature_group_name=feature_group_name)

    def build(app: Any) -> None:
        config = {
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskAvailabilityLifetimeInSeconds": 21_600,
            "TaskTimeLimitInSeconds": 300,
        }
        both = {
            f"{kind}_{name}": value
            for kind, files in (("labeling", "segmentation"), ("verification", "verification"))
            for name, value in {
                "workteam_arn": team,
                "instructions_template_s3_uri": f"s3://{_FILES}/{files}.liquid.html",
                "categories_s3_uri": f"s3://{_FILES}/{files}.json",
                "task_title": "Paint",
                "task_description": "Paint each class.",
                "task_keywords": ["paint"],
                "human_task_config": config,
                "task_price": {},
            }.items()
        }
        made = Stack(
            app,
            "aiops",
            job_name="streets",
            task_type="image_semantic_segmentation",
            sqs_queue_retention_period=20_160,
            sqs_queue_visibility_timeout=720,
            sqs_queue_max_receive_count=3,
            sqs_dlq_retention_period=20_160,
            sqs_dlq_visibility_timeout=720,
            sqs_dlq_alarm_threshold=1,
            labeling_workflow_schedule="",
            **both,
        )
        import aws_cdk

        aws_cdk.CfnOutput(made, "Bucket", value=made.upload_bucket.bucket_name)
        aws_cdk.CfnOutput(made, "Machine", value=made.labeling_state_machine.state_machine_arn)

    return build


def _put_files(session: Any) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket=_FILES)
    names = {"segmentation": ["road", "sky"], "verification": ["good", "bad"]}
    for file, page in (("segmentation", _SEGMENTATION), ("verification", _VERIFICATION)):
        labels = {"document-version": "2018-11-28", "labels": [{"label": name} for name in names[file]]}
        s3.put_object(Bucket=_FILES, Key=f"{file}.liquid.html", Body=page.encode())
        s3.put_object(Bucket=_FILES, Key=f"{file}.json", Body=json.dumps(labels).encode())


def _photograph() -> bytes:
    made = io.BytesIO()
    Image.linear_gradient("L").resize((60, 40)).save(made, "PNG")
    return made.getvalue()


def play(ground_truth: GroundTruth, team: str, workers: Workers) -> dict[str, Any]:
    """Deploy the stack, have its machine run once, and return how it ended and by which states it went."""
    run = ground_truth.run(_build(team), workers=workers)
    session, outputs = ground_truth.aws.session(), run.outputs["aiops"]
    for number in range(_PHOTOGRAPHS):
        session.client("s3").put_object(Bucket=outputs["Bucket"], Key=f"{number}.png", Body=_photograph())
    states = session.client("stepfunctions")
    begun = states.start_execution(stateMachineArn=outputs["Machine"], input="{}")["executionArn"]
    end = time.monotonic() + _MINUTES * 60
    while (found := states.describe_execution(executionArn=begun))["status"] == "RUNNING":
        if time.monotonic() > end:
            break
        time.sleep(1.0)
    events = states.get_execution_history(executionArn=begun, maxResults=1_000)["events"]
    went = [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]
    jobs = session.client("sagemaker").list_labeling_jobs()["LabelingJobSummaryList"]
    return {
        "status": found["status"],
        "cause": found.get("cause", ""),
        "states": list(dict.fromkeys(went)),
        "jobs": [
            (job["LabelingJobName"][:16], job["LabelingJobStatus"], job["LabelCounters"]) for job in jobs
        ],
    }


def main() -> int:
    """Run both; the exit code is 1 if a machine ended otherwise than on AWS."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="the module's folder")
    folder = parser.parse_args().folder.resolve()
    sys.path.insert(0, str(folder))
    os.chdir(folder)  # The module names its functions' folder from there.
    _without_nag()
    code = 0
    with tempfile.TemporaryDirectory() as made, EmbeddedAws() as aws:
        _put_files(aws.session())
        for number, (wanted, workers) in enumerate(ENDS.items()):
            ground_truth = GroundTruth(lambda: aws, Path(made) / str(number))
            seen = play(ground_truth, ground_truth.workteam(f"team-{number}"), workers)
            print(json.dumps(seen, indent=2, default=str))
            ended = (seen["states"] or [""])[-1]
            print(f"{ended!r}, as on AWS" if ended == wanted else f"{ended!r}, and not {wanted!r}")
            code |= ended != wanted
            ground_truth.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
