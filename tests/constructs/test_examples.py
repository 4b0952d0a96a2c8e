"""Each example synthesizes; those that the embedded AWS can run are deployed in `tests/examples`."""

from __future__ import annotations

import functools
import json
import runpy
import warnings
from pathlib import Path
from typing import Any

import aws_cdk
import boto3
import pytest
from aws_cdk.assertions import Match, Template

from cdk_ground_truth._rooms import limits
from cdk_ground_truth.assertions import labeling_jobs
from tests.s3 import Objects

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Example → jobs in all of its stacks; a campaign's are made by its runs.
JOBS = {
    "growing_bucket": 0,
    "label_verify_adjust": 1,
    "minimal": 1,
    "own_resources": 1,
    "pipeline_stage": 1,
    "regions": 12,
    "several_jobs": 2,
    "train_on_completion": 1,
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def run(name):
        monkeypatch.chdir(EXAMPLES)
        monkeypatch.setattr(aws_cdk, "App", functools.partial(aws_cdk.App, outdir=str(tmp_path)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runpy.run_path(str(EXAMPLES / name / "app.py"), run_name="__main__")
        return {
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in tmp_path.rglob("*.template.json")
        }

    return run


def test_every_example_is_tested_and_explained() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/app.py")} == set(JOBS)
    for name in JOBS:
        readme = (EXAMPLES / name / "README.md").read_text()
        assert readme.startswith("# ") and f"examples/{name}/app.py" in readme


@pytest.mark.parametrize("name", JOBS)
def test_it_synthesizes(run, name) -> None:
    templates = run(name)
    assert sum(len(labeling_jobs(template)) for template in templates.values()) == JOBS[name]


def test_own_resources_makes_none_of_its_own(run) -> None:
    [template] = run("own_resources").values()
    kinds = [each["Type"] for each in template["Resources"].values()]
    assert kinds.count("AWS::S3::Bucket") == 2
    # They are the job's and the handler's.
    assert kinds.count("AWS::IAM::Role") == 2


def test_twelve_regions_are_all_there_are(run) -> None:
    found = {name.removeprefix("Labeling-"): template for name, template in run("regions").items()}
    assert set(found) == set(limits.FUNCTION_ACCOUNTS)
    for region, template in found.items():
        [job] = labeling_jobs(template)
        account = limits.FUNCTION_ACCOUNTS[region]
        assert f":{region}:{account}:" in job.request["HumanTaskConfig"]["PreHumanTaskLambdaArn"]


def test_training_does_not_depend_on_the_job(run) -> None:
    templates = run("train_on_completion")
    assert "Labeling:" not in json.dumps(templates["Training"])
    assert "Outputs" not in templates["Labeling"]
    [rule] = [each for each in templates["Labeling"]["Resources"].values() if each["Type"].endswith("Rule")]
    [target] = rule["Properties"]["Targets"]
    assert "OutputManifestS3Uri" in json.dumps(target.get("InputTemplate", target))


def test_a_growing_bucket_trains_when_labels_of_several_nights_add_up(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = Template.from_json(run("growing_bucket")["GrowingBucket"])
    detail = {"detail-type": ["Labeling Campaign Run Completed"]}
    template.has_resource_properties("AWS::Events::Rule", {"EventPattern": Match.object_like(detail)})
    template.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "cron(0 1 * * ? *)"})
    functions = template.find_resources("AWS::Lambda::Function").values()
    [code] = [
        each["Properties"]["Code"]["ZipFile"] for each in functions if "ZipFile" in each["Properties"]["Code"]
    ]
    models = Objects()
    names: dict[str, Any] = {}
    monkeypatch.setattr(boto3, "client", lambda name: models)
    monkeypatch.setenv("MODELS", "labels")
    monkeypatch.setenv("NEW_LABELS", "500")
    exec(code, names)

    def night(labels):
        return names["handler"]({"detail": {"labels": labels, "datasetManifest": "s3://labels/d"}}, None)

    nights = [night(labels)["trained"] for labels in (300, 499, 500, 900, 999, 1_000)]
    assert nights == [False, False, True, False, False, True]
