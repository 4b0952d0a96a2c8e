"""Several manifests as one: objects and classes have one numbering, and what contradicts itself is named."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import (
    ManifestError,
    SegmentationDataset,
    agreement,
    check,
    export,
    import_labels,
    merge,
    partial,
    read_manifest,
    relabel,
    repair,
    report,
)
from ground_truth_labels.cli import main
from tests.labels.sets import WHITE, line, mask, write_set

ROADS = {"BACKGROUND": WHITE, "road": "#111111", "car": "#222222"}
#: The same colour is another class here.
CARS = {"BACKGROUND": WHITE, "bus": "#111111", "car": "#333333"}


def job(folder, colors, names, *, image="a.png"):
    """One photograph of 3 x 1 pixels with the classes `names`."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3, 1), (len(folder.name), 2, 3)).save(folder / image)
    return write_set(folder, [(line(image, f"masks/{image}", colors), mask([names], colors))])


@pytest.fixture
def two(tmp_path: Path):
    first = job(tmp_path / "roads", ROADS, ["BACKGROUND", "road", "car"])
    return first, job(tmp_path / "cars", CARS, ["car", "bus", "BACKGROUND"])


def test_one_numbering_of_objects_and_classes(two) -> None:
    both = read_manifest(two)
    assert both.classes == {"BACKGROUND": 0, "car": 1, "road": 2, "bus": 3}
    assert [(item.index, item.line) for item in both] == [(0, 1), (1, 1)] and len(both) == 2
    assert [item.mask().tolist() for item in both] == [[[0, 2, 1]], [[1, 3, 0]]]
    assert both[-1].name == "000001_a" and both.attribute == "streets-ref"
    first, second = (read_manifest(place) for place in two)
    assert [i.mask().tolist() for i in first + second] == [i.mask().tolist() for i in both]
    # What is joined stays as it was.
    assert first.classes == {"BACKGROUND": 0, "car": 1, "road": 2} and first[0].mask().tolist() == [[0, 2, 1]]
    third = read_manifest(job(two[0].parent / "more", ROADS, ["car"] * 3))
    assert [item.index for item in first + second + third] == [0, 1, 2] and third[0].index == 0


def test_every_use_takes_several(two, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = export(two, tmp_path / "out", split="50/50")
    assert result.exported == {"train": 1, "validation": 1}
    sources = [json.loads(s) for s in (tmp_path / "out/_labels/sources.jsonl").read_text().splitlines()]
    assert sorted(s["manifest"] for s in sources) == sorted(str(f / "output.manifest") for f in two)
    rows = list(csv.DictReader((tmp_path / "out/classes.csv").open()))
    assert [row["name"] for row in rows] == ["BACKGROUND", "car", "road", "bus"]
    dataset = SegmentationDataset(two)
    assert [np.asarray(dataset[i][1]).tolist() for i in range(2)] == [[[0, 2, 1]], [[1, 3, 0]]]
    found = check(two)
    assert found.lines == 2 and found.images == {"BACKGROUND": 2, "car": 2, "road": 1, "bus": 1}
    # Each its own photograph: the lines' numbers are the same, the photographs aren't.
    assert not found.problems
    assert "bus" in (tmp_path / report(two, tmp_path / "r.html").location).read_text("utf-8")
    again = [str(two[0]), str(tmp_path / "again"), "--also", str(two[1]), "--split", "50/50", "--quiet"]
    assert main(["export", *again]) == 0
    for path in (tmp_path / "out").rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "out")).read_bytes()


def test_an_interrupted_export_of_several_goes_on(two, tmp_path: Path) -> None:
    export(two, tmp_path / "out")
    assert export(two, tmp_path / "out").resumed == 2


def test_doubles_across_manifests_are_found(two) -> None:
    data = (two[0] / "a.png").read_bytes()
    (two[1] / "a.png").write_bytes(data)
    (problem,) = (p for p in check(two).problems if p.code == "duplicate-image")
    assert f"as the image of {two[0] / 'output.manifest'}, line 1" in problem.message


def test_two_labels_of_one_image_are_named(tmp_path: Path) -> None:
    first = write_set(tmp_path / "a", [(line("s3://b/x.jpg", "m.png", ROADS), mask([["car"]], ROADS))])
    second = write_set(tmp_path / "b", [(line("s3://b/x.jpg", "m.png", CARS), mask([["bus"]], CARS))])
    named = f"{first}/output.manifest, line 1 and {second}/output.manifest, line 1: both have a label"
    with pytest.raises(ManifestError, match=named):
        export([first, second], tmp_path / "out", images=False)
    assert not (tmp_path / "out").exists()
    # The one or the other: an image that `where` leaves out is no second label.
    both = read_manifest([first, second])
    chosen = both.where(lambda item: item.location.startswith(str(second)))
    assert [item.mask().tolist() for item in chosen] == [[[chosen.classes["bus"]]]]
    assert len(read_manifest(first).where(keys=[]) + read_manifest(second)) == 1


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (
            {"labels": ["road", "car"]},
            {"labels": ["car", "bus"]},
            "id of 'car' is 2 in the one, 1 in the other",
        ),
        (
            {"labels": {"road": 1, "car": 2}},
            {"labels": {"bus": 1, "car": 2}},
            "id 1 is 'road' in the one, 'bus'",
        ),
        ({"labels": ["road", "car"]}, {}, "has the class 'bus', which is not in the list given for .*roads"),
        ({"background": 7}, {}, "the background is 7 in the one, 0 in the other"),
        ({"merge": {"vehicle": ["car"]}}, {}, "the class 'car' is 'vehicle' in the one, 'car' in the other"),
    ],
)
def test_contradictions_name_both(two, one, other, message: str) -> None:
    joined = read_manifest(two[0], **one) + read_manifest(two[1], **other)
    with pytest.raises(ManifestError, match=message) as told:
        _ = joined.labels
    assert all(str(folder) in str(told.value) for folder in two)


def test_lists_that_agree_are_one(two) -> None:
    joined = read_manifest(two[0], labels={"road": 5, "car": 9}) + read_manifest(
        two[1], labels={"car": 9, "bus": 2}
    )
    assert joined.classes == {"BACKGROUND": 0, "road": 5, "car": 9, "bus": 2}
    assert [item.mask().tolist() for item in joined] == [[[0, 5, 9]], [[9, 2, 0]]]


def test_merged_classes_go_through_all(two) -> None:
    joined = read_manifest(two, merge={"vehicle": ["car", "bus"]}, drop=["road"])
    assert joined.classes == {"BACKGROUND": 0, "vehicle": 1}
    assert [item.mask().tolist() for item in joined] == [[[0, 0, 1]], [[1, 1, 0]]]


def test_what_belongs_to_one_job_refuses_several(two, tmp_path: Path) -> None:
    joined = read_manifest(two)
    for run in (
        lambda: agreement(joined),
        lambda: repair(joined, tmp_path / "t"),
        lambda: relabel(joined, tmp_path / "t", drop=["car"]),
        lambda: partial(joined, tmp_path / "t"),
        lambda: merge([joined, two[0]], tmp_path / "t"),
        lambda: import_labels(joined, tmp_path / "x.zip", tmp_path / "t"),
    ):
        with pytest.raises(ManifestError, match=r"roads.* \+ .*cars|lines? "):
            run()
    assert not (tmp_path / "t").exists()
    with pytest.raises(ManifestError, match="list of them is empty"):
        read_manifest([])


def test_relative_references_of_one_file_are_one_image(tmp_path: Path) -> None:
    """Two manifests in one folder mean the same photograph by the same name; in two folders they don't."""
    folder = job(tmp_path / "a", ROADS, ["car", "car", "road"])
    (folder / "second.manifest").write_bytes((folder / "output.manifest").read_bytes())
    with pytest.raises(ManifestError, match="both have a label of one image"):
        _ = read_manifest([folder / "output.manifest", folder / "second.manifest"]).labels


class Account:
    """A session in whose account two jobs have their output in one bucket."""

    def __init__(self, folder) -> None:
        self._folder = folder

    def client(self, service, **_):
        return self

    def describe_labeling_job(self, *, LabelingJobName):
        return {
            "LabelingJobStatus": "Completed",
            "LabelingJobOutput": {"OutputDatasetS3Uri": f"s3://b/{LabelingJobName}/output.manifest"},
            "LabelCategoryConfigS3Uri": f"s3://b/{LabelingJobName}/categories.json",
        }

    def get_object(self, *, Bucket, Key, **_):
        data = (self._folder / Key).read_bytes()
        return {"Body": io.BytesIO(data), "ContentLength": len(data)}


def test_several_jobs_by_their_names(two) -> None:
    """Each job's category file has an order; that of the first is kept, and what is new comes after."""
    for folder, names in zip(two, (["road", "car"], ["car", "bus"]), strict=True):
        listed = {"labels": [{"label": name} for name in names]}
        (folder / "categories.json").write_text(json.dumps(listed))
    joined = read_manifest(job=["roads", "cars"], session=Account(two[0].parent))
    assert joined.classes == {"BACKGROUND": 0, "road": 1, "car": 2, "bus": 3}
    assert [item.mask().tolist() for item in joined] == [[[0, 1, 2]], [[2, 3, 0]]]
    own = read_manifest(job=["roads", "cars"], labels="bus=9,car=8,road=7", session=Account(two[0].parent))
    assert [item.mask().tolist() for item in own] == [[[0, 7, 8]], [[8, 9, 0]]]


def test_conditions_on_a_part_and_on_all(two) -> None:
    """What is left out of one before it is joined stays out; numbers of objects don't change."""
    first, second = (read_manifest(place) for place in two)
    joined = first.where(human=False) + second
    assert [item.index for item in joined] == [1] and len(joined) == 1
    assert [item.state for item in joined.every()] == ["unchosen", "labeled"]
    assert joined[0].mask().tolist() == [[1, 3, 0]]
    assert [item.index for item in (first + second).where(keys=["a.png"])] == [0, 1]


def test_verifications_are_counted_through_all(two) -> None:
    text = (two[1] / "output.manifest").read_text()
    value = json.loads(text)
    value["ok-ref"] = 1
    value["ok-ref-metadata"] = {"class-name": "good", "type": "groundtruth/label-verification"}
    (two[1] / "output.manifest").write_text(json.dumps(value) + "\n")
    joined = read_manifest(two)
    assert joined.scan.verifications == {"ok-ref": 1} and joined.scan.segmentations == {"streets-ref": 2}
    assert [item.index for item in joined.where(verdict="good")] == [1]
