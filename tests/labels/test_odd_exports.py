"""Every format with classes, jobs and reasons that are odd: what is written can be read, or is refused."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import pytest
from PIL import Image

from ground_truth_labels import ExportError, check, export, read_manifest, report
from ground_truth_labels.exports import FORMATS
from tests.labels.sets import WHITE, line, mask, write_set

NAMES = [
    "Background",
    "0",
    "a\tb",
    "\x7f",
    "\x85",
    "\U0001f697",
    "</class>",
    "\"quoted\" & 'more'",
    " edge ",
    "é" * 90,
]
NO_XML = ["a\x01b", "\x0b", "\x1f", "\ufffe", "\x00x"]


def odd(folder, name, *, text="labeling-job/x"):
    """Three labeled images and a failed one; `text` is their job's name and the reason."""
    colors = {"BACKGROUND": WHITE, name: "#123456"}
    entries = [
        (line(f"{i}.jpg", f"m/{i}.png", colors), mask([[name, "BACKGROUND"]], colors)) for i in range(3)
    ]
    write_set(folder, entries)
    values = [value for value, _ in entries]
    for value in values:
        value["streets-ref-metadata"]["job-name"] = text
    values.append({"source-ref": "f.jpg", "streets-ref-metadata": {"failure-reason": text}})
    values[0]["check-metadata"] = {
        "class-name": text,
        "type": "groundtruth/label-verification",
        "worker-feedback": [{"comment": text}],
    }
    (folder / "output.manifest").write_text("".join(json.dumps(each) + "\n" for each in values))
    for value in values:
        Image.new("RGB", (2, 1)).save(folder / value["source-ref"])
    return folder


def readable(folder):
    for place in folder.rglob("*"):
        if place.suffix == ".xml":
            ElementTree.parse(place)
        elif place.suffix in (".json", ".jsonl"):
            text = place.read_text("utf-8")
            [json.loads(each) for each in ([text] if place.suffix == ".json" else text.split("\n")[:-1])]


@pytest.mark.parametrize("layout", FORMATS)
def test_half_a_surrogate_pair_in_a_text_for_people(tmp_path, layout):
    folder = odd(tmp_path / "in", "road", text="labeling-job/\ud800!")
    result = export(folder, tmp_path / "out", format=layout)
    assert sum(result.exported.values()) == 3 and result.left_out == {"failed": 1}
    readable(tmp_path / "out")
    [left] = (tmp_path / "out/_labels/left-out.jsonl").read_text("utf-8").splitlines()
    assert json.loads(left)["why"] == "labeling-job/?!"
    sources = (tmp_path / "out/_labels/sources.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(each)["job_name"] for each in sources} == {"?!"}


def test_half_a_surrogate_pair_in_reports_and_findings(tmp_path):
    folder = odd(tmp_path / "in", "road", text="\udfff")
    items = list(read_manifest(folder))
    assert items[0].verifications[0].class_name == "?" and items[0].verifications[0].comments == ("?",)
    assert [each.message[-1] for each in check(folder).problems if each.code == "failed"] == ["?"]
    report(folder, tmp_path / "report.html")
    (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize("layout", ["cvat", "label-studio"])
@pytest.mark.parametrize("name", NO_XML)
def test_classes_that_xml_cannot_hold_are_refused_before_anything_is_written(tmp_path, layout, name):
    """The file was written, and no program could open it."""
    with pytest.raises(ExportError, match="is XML, which cannot hold the class"):
        export(odd(tmp_path / "in", name), tmp_path / "out", format=layout)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("layout", [name for name in FORMATS if name not in ("hf-parquet", "sagemaker")])
@pytest.mark.parametrize("name", NAMES)
def test_odd_classes_are_in_plain_sight(tmp_path, layout, name):
    if (layout, name) == ("cityscapes", "\x85"):
        # A blank alone is no name there, which `test_refused_before` holds.
        return
    result = export(odd(tmp_path / "in", name), tmp_path / "out", format=layout, images=True)
    assert sum(result.exported.values()) == 3
    readable(tmp_path / "out")
    with (tmp_path / "out/classes.csv").open(encoding="utf-8", newline="") as rows:
        assert [row[:2] for row in csv.reader(rows)] == [["id", "name"], ["0", "BACKGROUND"], ["1", name]]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "a\tb"])
def test_odd_classes_in_xml_and_json_are_the_same_text(tmp_path, name):
    folder = odd(tmp_path / "in", name)
    for layout in ("cvat", "label-studio", "coco", "datumaro"):
        export(folder, tmp_path / layout, format=layout)
    tree = ElementTree.parse(tmp_path / "cvat/annotations.xml")
    assert {each.get("label") for each in tree.iter("mask")} == {name}
    assert [each.text for each in tree.iter("name")] == [name]
    config = ElementTree.parse(tmp_path / "label-studio/label_config.xml")
    assert [each.get("value") for each in config.iter("Label")] == [name]
    [coco] = (tmp_path / "coco/annotations").glob("*.json")
    assert [each["name"] for each in json.loads(coco.read_text("utf-8"))["categories"]] == [name]
