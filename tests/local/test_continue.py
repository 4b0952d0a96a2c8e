"""`ground-truth-local continue`: only what is missing is asked, and the result is of the service's form."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import check, read_manifest
from ground_truth_local.continuing import remains
from ground_truth_local.continuing.local_job import LocalJob
from ground_truth_local.continuing.remains import ContinueError
from ground_truth_local.server import EmbeddedAws
from ground_truth_local.service.masks import encode_answer
from labeling_job.rules import manifest as preflight_manifest
from labeling_job.rules.findings import Findings
from labeling_job.rules.labels import check_classes
from labeling_job.rules.task import LabelingTask
from tests.local.portal.test_portal import Client
from tests.local.portal.workshop import picture

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

LABELS = ("road", "sky")
COLORS = {"0": ("BACKGROUND", "#ffffff"), "1": ("road", "#2ca02c"), "2": ("sky", "#1f77b4")}
OUTPUT = "labels/streets/manifests/output/output.manifest"


def labeled_line(folder, number):
    """A line as a real job wrote it: spaces, order and extra keys are its own."""
    name = f"{number}_2026-07-01T08:00:00.000001.png"
    key = f"labels/streets/annotations/consolidated-annotation/output/{name}"
    mask = np.full((80, 120, 3), 255, np.uint8)
    mask[20:40] = (0x2C, 0xA0, 0x2C)
    place = folder / "bucket" / key
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(place)
    metadata = {
        "internal-color-map": {
            index: {"class-name": label, "hex-color": color, "confidence": 0.9}
            for index, (label, color) in COLORS.items()
        },
        "type": "groundtruth/semantic-segmentation",
        "human-annotated": "yes",
        "creation-date": "2026-07-01T08:00:00.000001",
        "job-name": "labeling-job/streets",
    }
    line = {
        "source-ref": f"s3://bucket/in/{number}.jpg",
        "street": "Königsallee  7",
        "streets-ref": f"s3://bucket/{key}",
        "streets-ref-metadata": metadata,
    }
    return json.dumps(line, ensure_ascii=False, separators=(" ,", ": "))


@pytest.fixture
def half_done(tmp_path: Path):
    """Give a copy of a bucket with a stopped job's output: two labeled, one failed, two never asked."""
    folder = tmp_path / "copy"
    for number in range(5):
        place = folder / "bucket" / "in" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture())
    failure = {"failure-reason": "ClientError: expired", "job-name": "labeling-job/streets",
               "type": "groundtruth/semantic-segmentation", "human-annotated": "yes",
               "creation-date": "2026-07-01T08:00:00.000001"}  # fmt: skip
    lines = [
        labeled_line(folder, 0),
        '{"source-ref": "s3://bucket/in/1.jpg"}',
        labeled_line(folder, 2),
        json.dumps({"source-ref": "s3://bucket/in/3.jpg", "streets-ref-metadata": failure}),
        '{"source-ref": "s3://bucket/in/4.jpg", "kept": [1, 2]}',
    ]
    place = folder / "bucket" / OUTPUT
    place.parent.mkdir(parents=True)
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder, lines


def test_what_is_missing_is_found(half_done) -> None:
    folder, lines = half_done
    found = remains.read(str(folder / "bucket" / "labels" / "streets"), [])
    assert [entry.labeled for entry in found.entries] == [True, False, True, False, False]
    assert (found.attribute, found.labels, found.output) == (
        "streets-ref",
        list(LABELS),
        "s3://bucket/labels",
    )
    assert found.entries[0].line == lines[0]
    # What a failed object was told is no label.
    assert json.loads(found.entries[3].line) == {"source-ref": "s3://bucket/in/3.jpg"}


def test_only_the_missing_are_asked_and_the_result_is_legal(half_done, tmp_path: Path) -> None:
    folder, lines = half_done
    found = remains.read(str(folder / "bucket" / "labels" / "streets"), [], root=str(folder))
    mask = np.zeros((80, 120), np.uint8)
    mask[10:30, 20:60] = 2
    asked = []
    with EmbeddedAws(tmp_path / "state") as aws:
        job = LocalJob(aws, found, members=("ada@example.com",))
        job.start()
        # An interrupted run goes on with the same job.
        LocalJob(aws, found).start()
        person = Client(aws.portal_url)
        team = aws.session("analyst").client("sagemaker").list_workteams()["Workteams"][0]["WorkteamArn"]
        person.sign_in(type("Team", (), {"team": team}), "ada@example.com")
        arn = f"arn:aws:sagemaker:us-east-1:{aws.account}:labeling-job/{job.name}"
        wait_until(lambda: job.wait(lambda: True)["LabelingJobStatus"] == "InProgress")
        path = person.task(arn)
        while path.startswith("/tasks/"):
            asked.append(person(path)[2].partition('<span class="muted">')[2].partition(" ")[0])
            answer = {"crowd-semantic-segmentation": encode_answer(mask, LABELS)}
            path = person.json(f"{path}/submit", {"answer": answer})[1]["next"]
        assert job.wait(lambda: False)["LabelingJobStatus"] == "Completed"
        manifest, labeled = job.collect(tmp_path / "out")
    assert asked == ["1.jpg", "3.jpg", "4.jpg"]
    assert labeled == 5
    written = manifest.read_text(encoding="utf-8").splitlines()
    # What was bought is kept to the byte.
    assert [written[0], written[2]] == [lines[0], lines[2]]
    assert json.loads(written[4])["kept"] == [1, 2]
    result = check(read_manifest(manifest, labels=LABELS, root=tmp_path / "out"))
    assert not result.errors
    assert adjustment_findings(manifest, LABELS) == []
    items = list(read_manifest(manifest, labels=LABELS, root=tmp_path / "out"))
    assert [item.state for item in items] == ["labeled"] * 5
    assert (items[3].mask() == mask).all()
    assert (items[0].mask()[20:40] == 1).all()
    assert items[1].image().size == (120, 80)


def adjustment_findings(path, labels):
    """What a deploy's preflight says of a manifest as the input of an adjustment job."""
    findings = Findings()
    task = LabelingTask(attribute="streets-adjusted-ref", task_type="AdjustmentSemanticSegmentation")
    with path.open("rb") as body:
        found = preflight_manifest.read(body, task, findings)
    check_classes(labels, found.classes, findings)
    assert (found.objects, found.to_label, found.classes) == (5, 5, {"BACKGROUND", *labels})
    return [(group.check, group.rule, group.found) for group in findings.groups()]


def test_an_unfinished_manifest_is_not_for_an_adjustment_job(half_done) -> None:
    """The control: preflight refuses what the worker has not labeled yet."""
    folder, _ = half_done
    findings = Findings()
    task = LabelingTask(attribute="streets-adjusted-ref", task_type="AdjustmentSemanticSegmentation")
    with (folder / "bucket" / OUTPUT).open("rb") as body:
        preflight_manifest.read(body, task, findings)
    assert {group.check for group in findings.groups()} == {"prior-labels"}


def wait_until(accept) -> None:
    for _ in range(200):
        if accept():
            return
        threading.Event().wait(0.05)
    raise AssertionError("not in time")


def test_photographs_and_labels_are_enough(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "x.jpg").write_bytes(picture())
    (tmp_path / "y.PNG").write_bytes(picture(kind="PNG"))
    found = remains.read(str(tmp_path), ["road"])
    assert [entry.source for entry in found.missing] == [
        "s3://photographs/a b/x.jpg",
        "s3://photographs/y.PNG",
    ]
    assert Image.open(io.BytesIO(found.entries[0].read_picture())).size == (120, 80)


def test_what_cannot_be_continued_is_said(tmp_path: Path, half_done) -> None:
    with pytest.raises(ContinueError, match="give them with --labels"):
        remains.read(str(tmp_path / "copy" / "bucket" / "in"), [])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ContinueError, match="neither"):
        remains.read(str(tmp_path / "empty"), ["road"])
    (tmp_path / "m.manifest").write_text('{"source-ref": "s3://bucket/in/1.jpg"}\n')
    with pytest.raises(ContinueError, match="give --attribute"):
        remains.read(str(tmp_path / "m.manifest"), ["road"])
    with pytest.raises(ContinueError, match=r"no such|not found|No such|there is no"):
        remains.read(str(tmp_path / "gone.manifest"), ["road"])
