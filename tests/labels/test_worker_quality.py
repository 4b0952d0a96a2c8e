"""What each worker did, counted again by hand."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest

from ground_truth_labels import LabelsError, WorkerResponses, read_manifest, worker_quality
from ground_truth_labels.cli import main
from ground_truth_labels.pseudonyms import pseudonym

RESPONSES = "labels/streets/annotations/worker-response/iteration-1"


def by_name(manifest, **options):
    result = worker_quality(manifest, responses=WorkerResponses(manifest, names=True), **options)
    return {w.worker: w for w in result.workers}


def test_time_and_agreement_equal_a_count_by_hand(shared_job) -> None:
    manifest = read_manifest(shared_job.root)
    found = by_name(manifest)
    responses = WorkerResponses(manifest, names=True)
    items = [item for item in manifest if item.state == "labeled"]
    for name, worker in found.items():
        seconds: list[Any] = []
        both, either = dict[str, int](), dict[str, int]()
        for item in items:
            truth = item.mask()
            (answer,) = (a for a in responses.answers(item) if a.worker == name)
            seconds.append(answer.seconds)
            for class_name, i in manifest.labels.ids.items():
                a, b = truth == i, answer.mask == i
                both[class_name] = both.get(class_name, 0) + int((a & b).sum())
                either[class_name] = either.get(class_name, 0) + int((a | b).sum())
        assert worker.images == 6 and worker.seconds == np.median(seconds)
        assert worker.iou == pytest.approx({n: both[n] / either[n] for n in both if either[n]})
    assert next(iter(found)) == "carl-04de"
    assert found["anna-7f3a"].declined is None and found["anna-7f3a"].known_iou is None


def test_workers_have_pseudonyms_unless_asked(shared_job) -> None:
    text = json.dumps(worker_quality(read_manifest(shared_job.root)).as_dict())
    assert "carl" not in text and pseudonym("carl-04de") in text


def test_throughput_leaves_long_pauses_out(job) -> None:
    for index, time in enumerate(("08:00:00", "08:02:00", "08:04:00", "11:00:00", "11:02:00", "11:04:00")):
        (path,) = (job.root / RESPONSES / str(index)).iterdir()
        answers = json.loads(path.read_text())
        for answer in answers["answers"]:
            answer["submissionTime"] = f"2026-11-23T{time}.000Z"
        path.write_text(json.dumps(answers))
    assert {w.images_an_hour for w in by_name(read_manifest(job.root)).values()} == {30}


def test_known_images_tell_more_than_the_consolidated_label(job) -> None:
    """Somebody's answer, taken for the truth of two images: nobody else is as good on these."""
    labels = read_manifest(job.root).labels
    known = job.root / "known.manifest"
    lines = [json.loads(json.dumps(line)) for line in job.lines[:2]]
    for line in lines:
        line["other-ref"] = line.pop("streets-ref")
        line["other-ref-metadata"] = line.pop("streets-ref-metadata")
    known.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = by_name(read_manifest(job.root, labels=labels), known=read_manifest(known, labels=labels))
    for worker in found.values():
        assert worker.known_images == 2 and 0 < worker.known_iou <= 1
    assert next(iter(found)) == "carl-04de"
    with pytest.raises(LabelsError, match="other class ids"):
        by_name(read_manifest(job.root), known=read_manifest(known, labels=labels.names[::-1]))


def event(worker, kind):
    return {"worker_id": worker, "event_type": kind, "event_timestamp": "1565798459", "job_type": "Private"}


@pytest.mark.parametrize("answered", [False, True])
def test_declines_come_from_the_activity_log(job, answered: bool) -> None:
    events = [event("carl-04de", "TasksDeclined")] * 3 + [event("bela-91cc", "TasksReturned")]
    events += [event("dora-1111", "TasksDeclined"), event("anna-7f3a", "TasksSubmitted")]
    log = job.root / "activity.json"
    log.write_text(
        json.dumps({"events": [{"message": json.dumps(e)} for e in events]})
        if answered
        else "".join(json.dumps(e) + "\n" for e in events)
    )
    found = by_name(read_manifest(job.root), activity=log)
    assert {name: (w.images, w.declined, w.returned) for name, w in found.items()} == {
        "anna-7f3a": (6, 0, 0),
        "bela-91cc": (6, 0, 1),
        "carl-04de": (6, 3, 0),
        "dora-1111": (0, 1, 0),
    }


@pytest.mark.parametrize("text", ["no\njson", '{"events": 3}', "[1]\n[2]", '{"events": [{}]}'])
def test_what_is_no_log_is_refused(job, text: str) -> None:
    (job.root / "log").write_text(text)
    with pytest.raises(LabelsError, match="worker activity log"):
        worker_quality(read_manifest(job.root), activity=job.root / "log")


def test_the_command_prints_a_table_or_json(job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workers", str(job.root), "--quiet", "--names"]) == 0
    told = capsys.readouterr().out
    assert "carl-04de" in told and "images/h" in told and "tableware" in told
    assert main(["workers", str(job.root), "--quiet", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["workers"]) == 3
    shutil.rmtree(job.root / "labels/streets/annotations/worker-response")
    assert main(["workers", str(job.root), "--quiet"]) == 1
