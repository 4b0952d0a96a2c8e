"""Answers of workers that are odd: ids, times, numbers, activity logs, labels of an earlier job."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ground_truth_labels import (
    ManifestError,
    WorkerResponses,
    agreement,
    partial,
    read_manifest,
    worker_quality,
)
from tests.labels.sets import COLORS, line, mask, read_lines, shown

ROAD, CAR, NOBODY = [["road"]], [["car"]], [["BACKGROUND"]]
EVENT = {"worker_id": "w", "event_type": "TasksDeclined"}


def answer(rows, *, submitted: Any = "2026-11-23T08:00:00Z", worker="w", seconds: Any = 1):
    """One worker's answer, the background painted in its colour."""
    named = {name: {"color": color} for name, color in COLORS.items()}
    picture = base64.b64encode(mask(rows, COLORS)).decode()
    content = {"labelMappings": named, "labeledImage": {"pngImageData": picture}}
    return {
        "workerId": worker,
        "submissionTime": submitted,
        "timeSpentInSeconds": seconds,
        "answerContent": {"annotatedResult": content},
    }


def job(folder, answers, lines):
    """A job's folder: object number → answers, and the manifest."""
    for number, given in answers.items():
        place = folder / f"annotations/worker-response/iteration-1/{number}/0.json"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps({"answers": given}))
    manifest = folder / "manifests/output/output.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return manifest


def labeled_job(folder, answers):
    manifest = job(folder, {0: answers}, [line("a.jpg", "0_m.png", COLORS)])
    (manifest.parent / "0_m.png").write_bytes(mask(CAR, COLORS))
    return manifest


@pytest.mark.parametrize("background", [0, 1, 7, 254, 255, 256, 300, 65_535])
@pytest.mark.parametrize(
    "labels",
    [
        ["road", "car", "truck"],
        ["truck", "car", "road"],
        {"road": 301, "car": 2, "truck": 9},
        {"road": 65_534, "car": 253, "truck": 30_000},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("said", "wins"), [("bcb", "BACKGROUND"), ("cbr", "car"), ("rcc", "car"), ("rbc", "road")]
)
def test_votes_are_the_same_whatever_the_ids(tmp_path, background, labels, said, wins):
    rows = {"b": NOBODY, "c": CAR, "r": ROAD}
    answers = [answer(rows[each], submitted=f"2026-11-23T08:00:0{i}Z") for i, each in enumerate(said)]
    manifest = job(tmp_path / "job", {0: answers}, [{"source-ref": "a.jpg"}])
    read = read_manifest(manifest, labels=labels, background=background)
    result = partial(read, tmp_path / "new", attribute="x-ref")
    assert (result.made, result.problems) == (1, ())
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "new", value, "x-ref") == [[wins]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-11-23T08:00:00Z", "2026-11-23T08:00:00.500Z"),
        ("2026-11-23T10:00:00+02:00", "2026-11-23T08:00:01Z"),
        ("2026-11-23T08:00:00.321Z", "2026-11-23T08:00:00.400000Z"),
        ("2026-11-23", "2026-11-23T00:00:01Z"),
        ("2026-11-23T08:00:00Z", None),
        ("2026-11-23T08:00:00Z", ""),
        ("2026-11-23T08:00:00Z", "soon"),
        ("2026-11-23T08:00:00Z", 5),
        ("2026-11-23T08:00:00Z", "9999-12-31T23:59:59-05:00"),
    ],
    ids=str,
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_as_many_votes_the_earlier_answer_counts(tmp_path, first, second, turned):
    answers = [answer(ROAD, submitted=first), answer(CAR, submitted=second)]
    manifest = job(tmp_path / "job", {0: answers[::-1] if turned else answers}, [{"source-ref": "a.jpg"}])
    result = partial(read_manifest(manifest, labels=list(COLORS)[1:]), tmp_path / "new", attribute="x-ref")
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "new", value, "x-ref") == [["road"]]


@pytest.mark.parametrize("failed", [False, True])
def test_labels_of_an_earlier_job_are_not_taken_for_those_of_this_one(tmp_path, failed):
    """A chain: the second job, which was stopped, read the first one's output."""
    value: dict[str, Any] = line("a.jpg", "0_m.png", COLORS, attribute="first-ref")
    if failed:
        value["second-ref-metadata"] = {"failure-reason": "expired", "job-name": "labeling-job/second"}
    manifest = job(tmp_path / "job", {0: [answer(CAR)]}, [value])
    (manifest.parent / "0_m.png").write_bytes(mask(ROAD, COLORS))
    read = read_manifest(manifest, labels=["truck", "car", "road"])
    responses = WorkerResponses(read_manifest(manifest, labels=["car", "road", "truck"]))
    result = partial(read, tmp_path / "new", attribute="second-ref", responses=responses)
    assert (result.made, result.labeled, result.missing) == (1, 0, 0)
    [after] = read_lines(result.manifest)
    assert shown(tmp_path / "new", after, "second-ref") == [["car"]]
    assert after["first-ref"] == "0_m.png" and after["first-ref-metadata"] == value["first-ref-metadata"]
    # Its classes aren't those of the second job, so they have to be given.
    with pytest.raises(ManifestError, match="answers need the job's classes"):
        partial(manifest, tmp_path / "no", attribute="second-ref")


def test_answers_read_with_other_ids_are_refused(tmp_path):
    manifest = labeled_job(tmp_path / "job", [answer(CAR)])
    other = WorkerResponses(read_manifest(manifest, labels=["truck", "car", "road"]))
    mine = read_manifest(manifest, labels=["car", "road", "truck"])
    for measured in (agreement, worker_quality):
        with pytest.raises(ManifestError, match="read with other class ids"):
            measured(mine, responses=other)
        assert measured(mine, responses=WorkerResponses(mine)).problems == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0.25", 0.25),
        ("true", None),
        ('"5"', None),
        ("null", None),
        ("[5]", None),
        ("1e999", "refused"),
        ("-1e999", "refused"),
        ("NaN", "refused"),
        ("Infinity", "refused"),
        ("1" + "0" * 400, "refused"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_times_are_finite_numbers(tmp_path, text, seconds):
    manifest = labeled_job(tmp_path / "job", [answer(CAR, seconds="@")])
    [place] = (tmp_path / "job").rglob("0.json")
    place.write_text(place.read_text().replace('"@"', text))
    result = worker_quality(manifest)
    json.dumps(result.as_dict(), allow_nan=False)
    json.dumps(agreement(manifest).as_dict(), allow_nan=False)
    if seconds == "refused":
        assert not result.workers
        assert (
            len(result.problems) == 1 and "'timeSpentInSeconds' must be a finite number" in result.problems[0]
        )
    else:
        assert [worker.seconds for worker in result.workers] == [seconds]


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        (json.dumps(EVENT), 1),
        (json.dumps(EVENT) + "\n" + json.dumps(EVENT) + "\n", 2),
        (json.dumps(EVENT) + "\r\n\r\n" + json.dumps(EVENT), 2),
        ("\ufeff" + json.dumps(EVENT), 1),
        (json.dumps({"events": [{"message": json.dumps(EVENT)}]}), 1),
        # As the AWS CLI prints it.
        (json.dumps({"events": [{"message": json.dumps(EVENT)}] * 3}, indent=4), 3),
        (json.dumps({"searchedLogStreams": [], "events": [{"message": json.dumps(EVENT)}]}, indent=4), 1),
        (json.dumps({"events": []}), 0),
        ("", 0),
        ("\n", 0),
        (json.dumps({**EVENT, "worker_id": "somebody else"}), 0),
        (json.dumps({**EVENT, "event_type": "TasksAccepted"}), 0),
    ],
)
def test_activity_logs_as_they_are_given_out(tmp_path, text, declined):
    manifest = labeled_job(tmp_path / "job", [answer(CAR)])
    (tmp_path / "log").write_text(text, encoding="utf-8")
    read = read_manifest(manifest)
    result = worker_quality(read, responses=WorkerResponses(read, names=True), activity=tmp_path / "log")
    assert {each.worker: each.declined for each in result.workers}["w"] == declined


@pytest.mark.parametrize(
    "text",
    ["[]", "5", "{", '{"events": [5]}', '{"events": [{"message": "text"}]}', '{"events": [{}]}', "text"],
)
def test_what_is_no_activity_log_is_named(tmp_path, text):
    manifest = labeled_job(tmp_path / "job", [answer(CAR)])
    (tmp_path / "log").write_text(text)
    with pytest.raises(ManifestError, match="must be events of the worker activity log"):
        worker_quality(manifest, activity=tmp_path / "log")
