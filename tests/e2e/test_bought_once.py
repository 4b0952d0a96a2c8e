"""Labels are bought once, as a user sees it: one stack, changed and deployed again, and who painted what.

Who was asked is read from the worker responses in S3, and what the labels are from the output manifest's
lines and the masks' bytes: neither is the handler's own report.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_s3 as s3
from PIL import Image

from cdk_ground_truth import (
    Images,
    Instructions,
    Only,
    SemanticSegmentationAdjustmentJob,
    SemanticSegmentationLabelingJob,
    SemanticSegmentationVerificationJob,
    Workteam,
)
from ground_truth_labels import read_manifest, relabel
from ground_truth_labels.storage import Storage
from ground_truth_local.testing import DeployFailed, Workers

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
LABELS = ["road", 'O\'Brien "x" </script> é']
ATTRIBUTE = "streets-ref"

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600), pytest.mark.xdist_group("bought-once")]


class Streets:
    """A stack over a bucket that it doesn't own, its parts changed between deploys."""

    def __init__(self, ground_truth, name) -> None:
        self.ground_truth, self.name, self.bucket = ground_truth, name, f"{name.lower()}-photos"
        ground_truth.workteam("annotators")
        self.s3 = ground_truth.aws.session().client("s3")
        self.sagemaker = ground_truth.aws.session().client("sagemaker")
        self.s3.create_bucket(Bucket=self.bucket)
        rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": []}
        self.s3.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [rule]})
        self.labels, self.more = LABELS, lambda stack, job: None
        self.options: dict[str, Any] = {}
        #: Instead of the bucket's.
        self.images = None

    def photograph(self, *names, seed=0) -> None:
        for number, name in enumerate(names):
            chance = np.random.default_rng([seed, number, *name.encode()])
            pixels = chance.integers(0, 255, (6, 8, 3), np.uint8)
            body = io.BytesIO()
            Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(body, "PNG")
            self.s3.put_object(Bucket=self.bucket, Key=f"photos/{name}", Body=body.getvalue())

    def __call__(self, app):
        stack = Stack(app, self.name)
        bucket = s3.Bucket.from_bucket_name(stack, "Photos", self.bucket)
        job = SemanticSegmentationLabelingJob(
            stack,
            "Job",
            images=self.images or Images.from_bucket(bucket, prefix="photos/"),
            labels=self.labels,
            workteam=self.team(stack),
            label_attribute_name=ATTRIBUTE,
            number_of_human_workers_per_data_object=1,
            probation=Duration.minutes(1),
            **self.options,
        )
        self.more(stack, job)

    @staticmethod
    def team(stack):
        found = stack.node.try_find_child("Team")
        return found or Workteam.from_workteam_arn(stack, "Team", TEAM)

    def run(self, **options):
        return self.ground_truth.run(self, **options)

    def first(self, run):
        """The job of the main construct."""
        [job] = [job for logical_id, job in run.jobs.items() if logical_id.startswith("Job")]
        return job

    def asked(self, job):
        """File name → how often somebody painted it in this job, by the worker responses."""
        output = job.request["OutputConfig"]["S3OutputPath"].removeprefix("s3://")
        bucket, _, prefix = output.partition("/")
        below = f"{prefix}/{job.name}/annotations/worker-response/"
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=below).get("Contents", [])
        uri = job.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        sources = [json.loads(line)["source-ref"].rpartition("/")[2] for line in self.lines(uri).values()]
        counts: Counter[Any] = Counter()
        for each in found:
            answers = json.loads(self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read())["answers"]
            [number] = re.findall(r"/iteration-\d+/(\d+)/", each["Key"])
            counts[sources[int(number)]] += len(answers)
        return dict(counts)

    def lines(self, uri):
        """Image's reference → its line, to the byte."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        raw = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
        return {json.loads(line)["source-ref"]: line for line in raw}

    def output(self, job):
        return self.lines(job.request["LabelingJobOutput"]["OutputDatasetS3Uri"])

    def masks(self, job, attribute=ATTRIBUTE):
        """File name → the bytes of its mask."""
        return {
            source.rpartition("/")[2]: self.read(json.loads(line)[attribute])
            for source, line in self.output(job).items()
            if attribute in json.loads(line)
        }

    def read(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


SIX = [f"{number}.png" for number in range(6)]


@pytest.fixture
def streets(ground_truth, request: pytest.FixtureRequest):
    return Streets(ground_truth, "".join(word.title() for word in request.node.name.split("_")[1:])[:24])


def test_changes_ask_only_for_what_is_missing(streets) -> None:
    streets.photograph(*SIX)
    first = streets.first(streets.run())
    assert streets.asked(first) == dict.fromkeys(SIX, 1)
    bought, painted = streets.output(first), streets.masks(first)

    # Two more photographs: two tasks.
    streets.photograph("6.png", "7.png")
    streets.options = {"instructions": Instructions(short="Paint what you see.", full="<p>All of it.</p>")}
    second = streets.first(streets.run())
    assert second.name != first.name
    assert streets.asked(second) == {"6.png": 1, "7.png": 1}
    output = streets.output(second)
    assert {source: output[source] for source in bought} == bought and len(output) == 8
    assert {name: mask for name, mask in streets.masks(second).items() if name in painted} == painted

    # A file replaced under its key: one task, and nobody else's label changes.
    streets.photograph("3.png", seed=9)
    streets.options = {"instructions": Instructions(short="Paint all that you see.", full="<p>All.</p>")}
    third = streets.first(streets.run())
    assert streets.asked(third) == {"3.png": 1}
    replaced = f"s3://{streets.bucket}/photos/3.png"
    assert {s: line for s, line in streets.output(third).items() if s != replaced} == {
        s: line for s, line in output.items() if s != replaced
    }
    assert streets.output(third)[replaced] != output[replaced]
    # What was bought stays where it was, also what was replaced.
    assert streets.masks(first) == painted


def test_what_only_looks_like_a_change_buys_nothing(streets) -> None:
    streets.photograph("a.png", "b.png")
    streets.options = {"task_title": "Paint", "tags": {"team": "streets"}}
    first = streets.first(streets.run())
    streets.options = {"tags": {"team": "roads", "stage": "two"}, "task_title": "Paint"}
    again = streets.first(streets.run())
    assert again.name == first.name and streets.asked(again) == {"a.png": 1, "b.png": 1}


def test_an_instruction_changed_in_the_middle_paints_nothing_twice(streets) -> None:
    streets.photograph(*SIX)
    middle = streets.first(streets.run(workers=Workers(images=3)))
    assert middle.status == "InProgress" and streets.asked(middle) == dict.fromkeys(SIX[:3], 1)
    streets.options = {"instructions": Instructions(short="Look twice.", full="<p>Twice.</p>")}
    second = streets.first(streets.run())
    assert streets.asked(second) == dict.fromkeys(SIX[3:], 1)
    stopped = streets.sagemaker.describe_labeling_job(LabelingJobName=middle.name)
    assert stopped["LabelingJobStatus"] == "Stopped"
    old = streets.lines(stopped["LabelingJobOutput"]["OutputDatasetS3Uri"])
    labeled = {source: line for source, line in old.items() if ATTRIBUTE in json.loads(line)}
    assert len(labeled) == 3
    output = streets.output(second)
    assert {source: output[source] for source in labeled} == labeled
    assert all(ATTRIBUTE in json.loads(line) for line in output.values()) and len(output) == 6


def test_a_class_that_is_added_is_refused_and_then_adjusted(streets) -> None:
    streets.photograph(*SIX)
    first = streets.first(streets.run())
    bought = streets.output(first)
    streets.labels = [*LABELS, "kerb"]
    with pytest.raises(DeployFailed, match=r"6 images of the job .* are labeled.*adds 'kerb'.*AdjustmentJob"):
        streets.run()
    # The refusal leaves the job and its labels as they were.
    assert streets.output(first) == bought
    streets.labels = LABELS
    chosen = [f"s3://{streets.bucket}/photos/{name}" for name in ("1.png", "4.png")]

    def adjust(stack, job) -> None:
        SemanticSegmentationAdjustmentJob(
            stack,
            "Kerbs",
            of=job,
            labels=[*LABELS, "kerb"],
            only=Only(keys=chosen),
            workteam=streets.team(stack),
            number_of_human_workers_per_data_object=1,
        )

    streets.more = adjust
    run = streets.run()
    [adjusted] = [job for logical_id, job in run.jobs.items() if logical_id.startswith("Kerbs")]
    assert streets.asked(adjusted) == {"1.png": 1, "4.png": 1}
    assert streets.first(run).name == first.name
    old = {source: json.loads(line) for source, line in bought.items()}
    for source, line in streets.output(adjusted).items():
        value = json.loads(line)
        assert {key: value[key] for key in old[source]} == old[source]
        [attribute] = [key for key in value.keys() - old[source].keys() if not key.endswith("-metadata")]
        names = {e["class-name"] for e in value[f"{attribute}-metadata"]["internal-color-map"].values()}
        assert "kerb" in names


def test_a_class_that_is_renamed_asks_nobody(streets, tmp_path: Path) -> None:
    streets.photograph("a.png", "b.png")
    first = streets.first(streets.run())
    streets.labels = ["street", LABELS[1]]
    with pytest.raises(DeployFailed, match=r"2 images .*drops 'road'.*ground-truth-labels relabel"):
        streets.run()
    manifest = first.save(tmp_path / "copy")
    result = relabel(
        read_manifest(manifest, root=tmp_path / "copy"), tmp_path / "renamed", rename={"road": "street"}
    )
    assert (result.renamed, result.repainted, result.classes) == (2, 0, ("street", LABELS[1]))
    renamed = {item.source_ref: item.mask_bytes() for item in read_manifest(result.manifest)}
    assert {source.rpartition("/")[2]: data for source, data in renamed.items()} == streets.masks(first)
    # Nobody was asked again: there is the one job, with its two answers.
    listed = streets.sagemaker.list_labeling_jobs(NameContains=first.name[:-18])["LabelingJobSummaryList"]
    assert [each["LabelingJobName"] for each in listed] == [first.name]
    assert streets.asked(first) == {"a.png": 1, "b.png": 1}


def test_the_rejected_alone_are_adjusted(streets) -> None:
    """Label six, verify them, adjust exactly those that were rejected, and train on the newest of each."""
    streets.photograph(*SIX)
    streets.run(workers=Workers(images=3))
    # Who paints the rest is careless, and those who verify look closely.
    first = streets.first(streets.run(workers=Workers(accuracy=0.3)))
    bought = {source: json.loads(line) for source, line in streets.output(first).items()}

    def verify(stack, job) -> None:
        streets.check = SemanticSegmentationVerificationJob(
            stack,
            "Check",
            of=job,
            verdicts=["right", "wrong"],
            label_attribute_name="verdict",
            workteam=streets.team(stack),
            number_of_human_workers_per_data_object=1,
        )

    streets.more = verify
    run = streets.run()
    [verified] = [job for logical_id, job in run.jobs.items() if logical_id.startswith("Check")]
    assert streets.asked(verified) == dict.fromkeys(SIX, 1)
    verdicts = {
        source: json.loads(line)["verdict-metadata"]["class-name"]
        for source, line in streets.output(verified).items()
    }
    assert set(verdicts.values()) <= {"right", "wrong"}
    rejected = {source.rpartition("/")[2] for source, verdict in verdicts.items() if verdict == "wrong"}
    assert rejected == set(SIX[3:])

    def adjust(stack, job) -> None:
        verify(stack, job)
        SemanticSegmentationAdjustmentJob(
            stack,
            "Fix",
            of=streets.check,
            only=Only(verdicts=["wrong"]),
            label_attribute_name="fixed-ref",
            workteam=streets.team(stack),
            number_of_human_workers_per_data_object=1,
        )

    streets.more = adjust
    run = streets.run()
    [fixed] = [job for logical_id, job in run.jobs.items() if logical_id.startswith("Fix")]
    assert streets.asked(fixed) == dict.fromkeys(sorted(rejected), 1)
    for source, line in streets.output(fixed).items():
        value = json.loads(line)
        assert {key: value[key] for key in bought[source]} == bought[source]
        assert value["verdict-metadata"]["class-name"] == "wrong"
    storage = Storage(client=streets.s3)
    uri = fixed.request["LabelingJobOutput"]["OutputDatasetS3Uri"]
    items = list(read_manifest(uri, attribute="fixed-ref", labels=LABELS, storage=storage))
    assert {item.source_ref.rpartition("/")[2] for item in items if item.state == "labeled"} == rejected
    assert all(item.mask().shape == (48, 64) for item in items)
