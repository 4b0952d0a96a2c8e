"""What another tool exported, and somebody may have written: every sentence names what is wrong."""

from __future__ import annotations

import json
import zipfile
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, LabelsError, ManifestError, export, import_labels, read_manifest
from ground_truth_labels.exports.brush import encode
from tests.labels.sets import line, mask, read_lines, shown, write_manifest, write_set

BLACK = "background:0,0,0::\n"


@pytest.fixture
def images(tmp_path):
    """Two photographs of one name in two folders, and one of its own."""
    folder = tmp_path / "images"
    for name in ("day 1/a.jpg", "day 2/a.jpg", "b.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 1)).save(folder / name)
    write_manifest(
        folder, [{"source-ref": f"s3://b/{name}"} for name in ("day 1/a.jpg", "day 2/a.jpg", "b.jpg")]
    )
    return folder


def cvat(name="b.jpg", **attributes):
    given = {"label": "road", "left": 0, "top": 0, "width": 2, "height": 1, "rle": "0, 1, 1", **attributes}
    shape = " ".join(f'{key}="{value}"' for key, value in given.items() if value is not None)
    return f'<annotations><image name="{name}" width="2" height="1"><mask {shape}/></image></annotations>'


def brush(**more):
    rle = list(encode(np.array([[True, False]])))
    value = {"rle": rle, "brushlabels": ["road"], **more.pop("value", {})}
    return {"type": "brushlabels", "original_width": 2, "original_height": 1, "value": value, **more}


def imported(images, tmp_path, source, **options):
    labels = options.pop("labels", ["road"])
    result = import_labels(read_manifest(images, labels=labels), source, tmp_path / "new", **options)
    return result, read_lines(result.manifest)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"z_order": "x"}, "'z_order' must be a whole number, got 'x'"),
        ({"z_order": "1.5"}, "'z_order' must be a whole number"),
        ({"left": "--5"}, "'left' must be a whole number, got '--5'"),
        ({"left": "-1"}, "outside the image"),
        ({"top": "1"}, "outside the image"),
        ({"width": "-1"}, "outside the image"),
        ({"width": "\u0663"}, "'width' must be a whole number"),
        ({"height": None}, "'height' must be a whole number, got ''"),
        ({"rle": "4611686018427387904,4611686018427387904"}, "'rle' has more pixels than its box, 2"),
        ({"rle": "99999999999999999999999"}, "'rle' has more pixels than its box, 2"),
        ({"rle": "1,-1"}, "negative run"),
        ({"rle": "9" * 5000}, "'rle' must be whole numbers"),
        ({"rle": "1;1"}, "'rle' must be whole numbers"),
        ({"label": None}, "class '' is not in the label list"),
        ({"label": "BACKGROUND"}, "class 'BACKGROUND' is not in the label list"),
        ({"name": "a.jpg"}, "'a.jpg' names 2 images"),
        ({"name": "c.jpg"}, "no image of"),
        ({"name": ""}, "no image of"),
    ],
    ids=str,
)
def test_cvat_shapes_that_cannot_be(images, tmp_path, attributes, message):
    (tmp_path / "x.xml").write_text(cvat(**attributes), encoding="utf-8")
    with pytest.raises(ManifestError, match=message):
        imported(images, tmp_path, tmp_path / "x.xml")
    assert not list((tmp_path / "new").rglob("*.manifest"))


@pytest.mark.parametrize(
    ("name", "index"),
    [("day 1/a.jpg", 0), ("day 2/a.jpg", 1), ("b.jpg", 2), ("b", 2), ("000001_a.jpg", 1), ("up/b.jpg", 2)],
)
def test_images_are_found_by_as_much_of_their_path_as_the_tool_kept(images, tmp_path, name, index):
    (tmp_path / "x.xml").write_text(cvat(name))
    result, lines = imported(images, tmp_path, tmp_path / "x.xml")
    assert (result.imported, result.unlabeled) == (1, 2)
    assert ["label-ref" in value for value in lines] == [i == index for i in range(3)]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"annotations": [1]}, "'annotations' must be a list of objects"),
        ({"annotations": 5}, "'annotations' must be a list of objects"),
        ({"annotations": {"result": []}}, "'annotations' must be a list of objects"),
        ({"predictions": "abc"}, "'predictions' must be a list of objects"),
        ({"annotations": [{"result": [brush(original_width=10**400)]}]}, "announces"),
        ({"annotations": [{"result": [brush(original_width="x")]}]}, "a brush must have"),
        ({"annotations": [{"result": [brush(original_width=0)]}]}, "must be positive"),
        ({"annotations": [{"result": [brush(), brush(original_height=2)]}]}, "tell 2 sizes"),
        ({"annotations": [{"result": [brush(value={"rle": 60})]}]}, "a brush must have"),
        ({"annotations": [{"result": [brush(value={"rle": [1.5]})]}]}, "a brush must have"),
        ({"annotations": [{"result": [brush(value={"rle": [256]})]}]}, "a brush must have"),
        ({"annotations": [{"result": [brush(value={"rle": []})]}]}, "announces"),
        (
            {"annotations": [{"result": [brush(value={"brushlabels": []})]}]},
            "class '' is not in the label list",
        ),
        ({"annotations": [{"result": [brush(value={"brushlabels": 5})]}]}, "a brush must have"),
        ({"annotations": [{"result": [{"type": "brushlabels"}]}]}, "a brush must have"),
    ],
    ids=lambda value: str(value)[:60],
)
@pytest.mark.parametrize("empty", ["unlabeled", "background"])
def test_tasks_of_label_studio_that_cannot_be(images, tmp_path, task, message, empty):
    (tmp_path / "x.json").write_text(json.dumps([{"data": {"image": "b.jpg"}, **task}]))
    with pytest.raises(LabelsError, match=message):
        imported(images, tmp_path, tmp_path / "x.json", empty=empty)


@pytest.mark.parametrize("kind", ["polygon", "rectangle", "ellipse", "keypoint", "vector", "bitmask"])
@pytest.mark.parametrize("ending", ["", "labels"])
@pytest.mark.parametrize("beside", [False, True])
def test_shapes_are_never_taken_for_nothing(images, tmp_path, kind, ending, beside):
    """They were left out without a word, and with `empty="background"` became an image of background."""
    result = [{"type": kind + ending, "value": {"points": []}}, *([brush()] if beside else [])]
    task = {"data": {"image": "b.jpg"}, "annotations": [{"result": result}]}
    (tmp_path / "x.json").write_text(json.dumps([task]))
    with pytest.raises(ManifestError, match=f"task 1: has {kind}{ending}, whose pixels depend"):
        imported(images, tmp_path, tmp_path / "x.json", empty="background")


@pytest.mark.parametrize("kind", ["choices", "textarea", "rating", "relation", "taxonomy", "polygons", None])
def test_what_draws_nothing_is_no_obstacle(images, tmp_path, kind):
    task = {"data": {"image": "b.jpg"}, "annotations": [{"result": [{"type": kind}, brush()]}]}
    (tmp_path / "x.json").write_text(json.dumps([task]))
    result, lines = imported(images, tmp_path, tmp_path / "x.json")
    assert result.imported == 1
    assert shown(tmp_path / "new", lines[2], "label-ref") == [["road", "BACKGROUND"]]


@pytest.mark.parametrize(
    ("labelmap", "classes"),
    [
        (BLACK + "road:10,20,30::\n", "road"),
        ("\ufeff# label:color_rgb\r\n" + BLACK + "road:10,20,30::\r\n\r\n", "road"),
        (BLACK + "Background:10,20,30::\n", "Background"),
        ("Background:10,20,30::\n" + BLACK, "Background"),
        ("Background:0,0,0::\nroad:10,20,30::\n", "road"),
        (BLACK + "a\u2028b:10,20,30::\n", "a\u2028b"),
        (BLACK + "\U0001f697: 10 , 20 , 30 :parts:actions\n", "\U0001f697"),
    ],
)
def test_label_maps(images, tmp_path, labelmap, classes):
    source = tmp_path / "voc"
    (source / "SegmentationClass").mkdir(parents=True)
    (source / "labelmap.txt").write_text(labelmap, encoding="utf-8", newline="")
    picture = Image.new("RGB", (2, 1), (10, 20, 30))
    picture.putpixel((1, 0), (0, 0, 0))
    picture.save(source / "SegmentationClass/b.png")
    result, lines = imported(images, tmp_path, source, labels=None)
    assert result.imported == 1
    assert shown(tmp_path / "new", lines[2], "label-ref") == [[classes, "BACKGROUND"]]


@pytest.mark.parametrize(
    ("labelmap", "message"),
    [
        (BLACK + "road:10,20::\n", "line 2: must be name:red,green,blue::, got 'road:10,20::'"),
        (BLACK + "road:10,20,256::\n", "line 2: must be"),
        (BLACK + "road\n", "line 2: must be"),
        (BLACK + "road:10,20,30::\ncar:10,20,30::\n", "line 3: has a colour for the second time"),
        ("Background:0,0,0::\nroad:0,0,0::\n", "line 2: has a colour for the second time"),
    ],
)
def test_label_maps_that_cannot_be(images, tmp_path, labelmap, message):
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc/labelmap.txt").write_text(labelmap)
    with pytest.raises(ManifestError, match=message):
        imported(images, tmp_path, tmp_path / "voc")


def test_several_exports_in_one_archive_are_named(images, tmp_path):
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for folder in ("one", "two"):
            archive.writestr(f"{folder}/labelmap.txt", BLACK)
    with pytest.raises(ManifestError, match=r"several exports: one/labelmap\.txt, two/labelmap\.txt"):
        imported(images, tmp_path, tmp_path / "both.zip")


def test_a_class_called_background_goes_out_as_voc_only_where_it_comes_back(tmp_path):
    for name in ("Background", "background"):
        colors = {"BACKGROUND": "#ffffff", name: "#123456"}
        value = line("a.jpg", "m/0.png", colors)
        folder = write_set(tmp_path / f"set {name}", [(value, mask([[name, "BACKGROUND"]], colors))])
        Image.new("RGB", (2, 1)).save(folder / "a.jpg")
        target = tmp_path / f"out {name}"
        if name == "background":
            with pytest.raises(ExportError, match="another 'background'"):
                export(folder, target, format="voc")
            continue
        export(folder, target, format="voc")
        back = import_labels(read_manifest(folder), target / "VOCdevkit/VOC2012", tmp_path / "back")
        [after] = read_lines(back.manifest)
        assert shown(tmp_path / "back", after) == [[name, "BACKGROUND"]]


def test_every_line_comes_along_or_is_refused_before_it_is_written(images, tmp_path):
    note: dict[str, Any] = {"note": "\ud800", "ключ": [None, 1.5]}
    place = images / "output.manifest"
    place.write_text(json.dumps({"source-ref": "s3://b/b.jpg", **note}) + "\n")
    (tmp_path / "x.xml").write_text(cvat())
    _, [value] = imported(images, tmp_path, tmp_path / "x.xml")
    assert {key: value[key] for key in note} == note
    place.write_text('{"source-ref": "s3://b/b.jpg", "score": 1e999}\n')
    with pytest.raises(ManifestError, match="a number that is too large"):
        import_labels(read_manifest(images, labels=["road"]), tmp_path / "x.xml", tmp_path / "other")
    assert not list((tmp_path / "other").rglob("*.manifest"))


@pytest.mark.parametrize("text", ["{}", '{"data": {}}', "5", '"data"', '[{"data": "x"}]', "[5]", "[{}]", "{"])
def test_json_that_is_no_list_of_tasks_holds_no_labels(images, tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ManifestError, match="holds no labels that can be imported"):
        imported(images, tmp_path, tmp_path / "x.json")


@pytest.mark.parametrize(
    ("left", "top"), [(-2, 0), (0, -2), (-1, 0), (0, -1), (-2, -2), (1, 0), (0, 3), (9, 9)]
)
def test_a_box_beyond_an_edge_does_not_come_in_again_at_the_other(images, tmp_path, left, top):
    box = f'<mask label="road" left="{left}" top="{top}" width="2" height="1" rle="0,2"/>'
    text = f'<annotations><image name="b.jpg" width="2" height="3">{box}</image></annotations>'
    (tmp_path / "x.xml").write_text(text)
    with pytest.raises(ManifestError, match="a mask lies outside the image"):
        imported(images, tmp_path, tmp_path / "x.xml")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("cancelled", [False, True])
def test_the_latest_annotation_counts_unless_it_was_cancelled(images, tmp_path, turned, cancelled):
    def entry(region, at, **more):
        rle = list(encode(np.array([region])))
        return {"updated_at": f"2026-01-0{at}T00:00:00Z", "result": [brush(value={"rle": rle})], **more}

    entries = [entry([True, False], 1), entry([False, True], 2, was_cancelled=cancelled)]
    task = {"data": {"image": "b.jpg"}, "annotations": entries[::-1] if turned else entries}
    task["predictions"] = [entry([True, True], 3)]
    (tmp_path / "x.json").write_text(json.dumps([task]))
    _, lines = imported(images, tmp_path, tmp_path / "x.json")
    wanted = ["road", "BACKGROUND"] if cancelled else ["BACKGROUND", "road"]
    assert shown(tmp_path / "new", lines[2], "label-ref") == [wanted]
