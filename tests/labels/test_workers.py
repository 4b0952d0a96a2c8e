from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from ground_truth_labels import WorkerResponses, agreement, read_manifest
from ground_truth_labels.pseudonyms import pseudonym


def test_the_careless_worker_is_named(shared_job) -> None:
    manifest = read_manifest(shared_job.root)
    result = agreement(manifest, responses=WorkerResponses(manifest, names=True))
    assert [w.worker for w in result.workers] == ["carl-04de", "bela-91cc", "anna-7f3a"]
    assert any("carl-04de" in text for text in result.look_at)
    assert len(result.images) == 6 and not result.problems
    json.dumps(result.as_dict())


def test_numbers_equal_a_count_by_hand(shared_job) -> None:
    manifest = read_manifest(shared_job.root)
    responses = WorkerResponses(manifest)
    item = next(iter(manifest))
    answers = {a.worker: a.mask for a in responses.answers(item)}
    result = agreement(manifest)
    (image,) = [i for i in result.images if i.line == 1]
    for worker, mask in answers.items():
        assert image.workers[worker] == pytest.approx((mask == item.mask()).mean())
    total = sum(item.mask().size for item in manifest if item.state == "labeled")
    assert sum(map(sum, result.confusion)) == 3 * total
    cup, other = (result.classes.index(n) for n in ("cup", "tableware"))
    assert result.confusion[cup][other] > 1000


def test_iou_of_a_known_overlap() -> None:
    from ground_truth_labels.counts import confusion_matrix

    truth, other = np.zeros((2, 10), np.uint8), np.zeros((2, 10), np.uint8)
    truth[0, :6] = 1
    other[0, 3:9] = 1
    other[1, 0] = 255
    assert confusion_matrix(truth, other, [0, 1]).tolist() == [[10, 3], [3, 3]]


def test_one_file_for_each_worker_is_read_too(job) -> None:
    (path,) = (job.root / "labels/streets/annotations/worker-response/iteration-1/0").iterdir()
    answers = json.loads(path.read_text())["answers"]
    path.unlink()
    for i, answer in enumerate(answers):
        path.with_name(f"2026-11-23_08:00:0{i}.json").write_text(json.dumps({"answers": [answer]}))
    manifest = read_manifest(job.root)
    assert len(list(WorkerResponses(manifest).answers(next(iter(manifest))))) == 3


def test_answers_follow_the_object_number_not_the_line(job) -> None:
    job.lines = [job.lines[3]]
    job.write()
    result = agreement(read_manifest(job.root, labels=sorted(
        ("person", "clothing", "cat", "cup", "tableware", "vehicle", "bike")
    )))  # fmt: skip
    assert result.images[0].workers[pseudonym("anna-7f3a")] > 0.9


def answer(image):
    return json.dumps({"answers": [{"answerContent": {"a": {"labelMappings": {}, "labeledImage": image}}}]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be JSON"),
        ("[]", "list of 'answers'"),
        ('{"answers": [{"answerContent": {}}]}', "'answerContent' must hold"),
        (answer(3), "'pngImageData' in base64"),
        (answer({"pngImageData": base64.b64encode(b"GIF89a").decode()}), "must be a PNG"),
    ],
)
def test_a_broken_answer_is_told_and_the_rest_counts(job, content, message: str) -> None:
    (path,) = (job.root / "labels/streets/annotations/worker-response/iteration-1/0").iterdir()
    path.write_text(content)
    result = agreement(read_manifest(job.root))
    assert len(result.images) == 5
    assert len(result.problems) == 1 and message in result.problems[0] and str(path) in result.problems[0]
