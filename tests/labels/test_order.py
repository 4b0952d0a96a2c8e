"""Class ids in the order in which the app named its classes, without being asked."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import Stubber
from PIL import Image

from ground_truth_labels import LabelsError, Storage, read_manifest
from tests.s3 import Objects, service_error

WHITE = "#ffffff"
FUNCTION = "arn:aws:lambda:us-east-1:432418664414:function:SemanticSegmentation"


def png(colors):
    """A mask of one row: a pixel of each colour."""
    pixels = np.array([[tuple(bytes.fromhex(color[1:])) for color in colors]], np.uint8)
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


def write_job(bucket, job, classes, *, reported=None, image="a.jpg"):
    """A job's output in a copy of the bucket; its line."""
    colors = {name: f"#{number:02x}1020" for number, name in enumerate(sorted(classes), 1)}
    mask = f"labels/{job}/annotations/consolidated-annotation/output/{image}.png"
    (bucket / mask).parent.mkdir(parents=True, exist_ok=True)
    (bucket / mask).write_bytes(png([WHITE, *(colors[name] for name in classes)]))
    entries = [("BACKGROUND", WHITE), *colors.items()]
    if reported is not None:
        report = bucket / f"labels/preflight/{job}.json"
        report.parent.mkdir(exist_ok=True)
        report.write_text(reported if isinstance(reported, str) else json.dumps({"labels": reported}))
    return {
        "source-ref": f"s3://bucket/{image}",
        "streets-ref": f"s3://bucket/{mask}",
        "streets-ref-metadata": {
            "internal-color-map": {
                str(number): {"class-name": name, "hex-color": color, "confidence": 0.9}
                for number, (name, color) in enumerate(entries)
            },
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": "yes",
            "job-name": f"labeling-job/{job}",
        },
    }


def manifest_of(bucket, *lines):
    place = bucket / "dataset.manifest"
    place.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return place


def test_the_reports_order_gives_the_ids(tmp_path: Path) -> None:
    line = write_job(tmp_path, "streets-1", ["sky", "car"], reported=["sky", "road", "car"])
    manifest = read_manifest(manifest_of(tmp_path, line))
    assert manifest.classes == {"BACKGROUND": 0, "sky": 1, "road": 2, "car": 3}
    assert manifest[0].mask().tolist() == [[0, 1, 3]]
    assert "app's order" in manifest.labels.origin


def test_several_jobs_keep_one_numbering(tmp_path: Path) -> None:
    lines = [
        write_job(tmp_path, "streets-1", ["sky", "car"], reported=["sky", "car"]),
        write_job(tmp_path, "streets-2", ["car", "bus"], reported=["bus", "car"], image="b.jpg"),
        write_job(tmp_path, "by-hand", ["tram", "dog"], image="c.jpg"),
    ]
    manifest = read_manifest(manifest_of(tmp_path, *lines))
    assert list(manifest.classes) == ["BACKGROUND", "sky", "car", "bus", "dog", "tram"]
    assert [item.mask().tolist()[0] for item in manifest] == [[0, 1, 2], [0, 2, 3], [0, 5, 4]]


@pytest.mark.parametrize(
    "reported", [None, "{", "[]", '{"labels": 7}', '{"labels": [null, ""]}', "[" * 9_000]
)
def test_without_a_report_that_says_it_names_are_sorted(tmp_path: Path, reported) -> None:
    line = write_job(tmp_path, "streets-1", ["sky", "car"], reported=reported)
    manifest = read_manifest(manifest_of(tmp_path, line))
    assert list(manifest.classes) == ["BACKGROUND", "car", "sky"]


def test_what_is_given_comes_first_and_nothing_is_read_outside(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    line = write_job(bucket, "streets-1", ["sky", "car"], reported=["sky", "car"])
    place = manifest_of(bucket, line)
    assert list(read_manifest(place, labels=["car", "sky"]).classes) == ["BACKGROUND", "car", "sky"]
    report = bucket / "labels/preflight/streets-1.json"
    report.rename(tmp_path / "elsewhere.json")
    report.symlink_to(tmp_path / "elsewhere.json")
    assert list(read_manifest(place).classes) == ["BACKGROUND", "car", "sky"]


class Session:
    """A boto3 session whose clients answer what a test says."""

    def __init__(self, objects, job) -> None:
        self._objects, self._job = objects, job

    def client(self, service, **_):
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        if service == "sagemaker":
            stubber = Stubber(client)
            if isinstance(self._job, str):
                stubber.add_client_error("describe_labeling_job", self._job)
            else:
                stubber.add_response("describe_labeling_job", self._job, {"LabelingJobName": "streets-1"})
            stubber.activate()
            return client
        client.get_object = self._get
        return client

    def _get(self, *, Bucket, Key, **_):
        body = self._objects[Key]
        return {"Body": io.BytesIO(body), "ContentLength": len(body)}


def job(**changes):
    return {
        "LabelingJobStatus": "Completed",
        "LabelCounters": {},
        "CreationTime": 0,
        "LastModifiedTime": 0,
        "JobReferenceCode": "a",
        "LabelingJobName": "streets-1",
        "LabelingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/streets-1",
        "InputConfig": {"DataSource": {}},
        "OutputConfig": {"S3OutputPath": "s3://bucket/labels"},
        "RoleArn": "arn:aws:iam::111122223333:role/labeling",
        "HumanTaskConfig": {
            "WorkteamArn": "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators",
            "UiConfig": {},
            "PreHumanTaskLambdaArn": FUNCTION,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": FUNCTION},
            "TaskTitle": "a",
            "TaskDescription": "b",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 60,
        },
        **changes,
    }


def test_a_job_is_read_by_its_name_with_its_category_file(tmp_path: Path) -> None:
    line = write_job(tmp_path, "streets-1", ["sky", "car"])
    objects = {
        "labels/streets-1/manifests/output/output.manifest": json.dumps(line).encode() + b"\n",
        "categories.json": b'{"labels": [{"label": "sky"}, {"label": "car"}]}',
    }
    found = job(
        LabelingJobOutput={
            "OutputDatasetS3Uri": "s3://bucket/labels/streets-1/manifests/output/output.manifest"
        },
        LabelCategoryConfigS3Uri="s3://bucket/categories.json",
    )
    manifest = read_manifest(job="streets-1", session=Session(objects, found))
    assert list(manifest.classes) == ["BACKGROUND", "sky", "car"]
    assert [item.state for item in manifest] == ["labeled"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("ValidationException", "there is no labeling job 'streets-1' in this account and Region"),
        ("ResourceNotFound", "there is no labeling job 'streets-1'"),
        ("AccessDeniedException", "the labeling job 'streets-1': can't be asked about"),
        (job(LabelingJobStatus="InProgress"), "has no output; its status is InProgress"),
    ],
)
def test_what_a_name_does_not_lead_to_is_told(answer, words: str) -> None:
    with pytest.raises(LabelsError, match=words):
        read_manifest(job="streets-1", session=Session({}, answer))


def test_a_place_or_a_name_and_not_both(tmp_path: Path) -> None:
    both: dict[str, Any] = {"location": tmp_path, "job": "streets-1"}
    for arguments in ({}, both):
        with pytest.raises(LabelsError, match="the place of an output manifest, or the name"):
            read_manifest(**arguments)


def test_a_profile_that_is_not_there_is_told() -> None:
    with pytest.raises(LabelsError, match="the profile 'nobody': can't be used"):
        read_manifest(job="streets-1", profile="nobody")


class HalfSilent(Objects):
    """A bucket of which S3 doesn't give one key: a HEAD is answered with a status, a GET with an error."""

    def __init__(self, objects: dict[tuple[str, str], bytes], key: str, *, head: int, get: str) -> None:
        super().__init__(objects)
        self._key, self._head, self._get = key, head, get

    def head_object(self, *, Bucket, Key):
        if self._head and Key == self._key:
            raise service_error("HeadObject", str(self._head), status=self._head)
        return super().head_object(Bucket=Bucket, Key=Key)

    def get_object(self, *, Bucket, Key, Range=""):
        if self._get and Key == self._key:
            raise service_error("GetObject", self._get, status=403)
        return super().get_object(Bucket=Bucket, Key=Key, Range=Range)


@pytest.mark.parametrize("key", ["labels/preflight/streets-1.json", "label-categories.json"])
@pytest.mark.parametrize(
    ("head", "get", "classes"),
    [
        (0, "", ["sky", "car"]),
        # Nobody who may not list learns more than that.
        (403, "", ["car", "sky"]),
        (404, "", ["car", "sky"]),
        (503, "", None),
        (429, "", None),
        (0, "AccessDenied", None),
    ],
)
def test_an_order_that_may_be_there_is_never_another_one_in_silence(
    tmp_path: Path, key: str, head: int, get: str, classes: list[str] | None
) -> None:
    line = write_job(tmp_path, "streets-1", ["sky", "car"])
    names: list[Any] = ["sky", "car"]
    if key.endswith("categories.json"):
        names = [{"label": name} for name in names]
    objects = {
        ("bucket", "dataset.manifest"): json.dumps(line).encode() + b"\n",
        ("bucket", key): json.dumps({"labels": names}).encode(),
    }
    storage = Storage(client=HalfSilent(objects, key, head=head, get=get))
    if classes is None:
        with pytest.raises(LabelsError, match=key):
            list(read_manifest("s3://bucket/dataset.manifest", storage=storage).classes)
    else:
        found = read_manifest("s3://bucket/dataset.manifest", storage=storage).classes
        assert list(found) == ["BACKGROUND", *classes]
