"""Relabeling what is odd: wishes, attributes, references that look like the copy's, maps, classes."""

from __future__ import annotations

import io
import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import (
    LabelsError,
    ManifestError,
    RepairError,
    check,
    read_manifest,
    relabel,
    repair,
)
from tests.labels.sets import (
    COLORS,
    ROWS,
    WHITE,
    line,
    mask,
    read_lines,
    shown,
    street,
    write_set,
)

ODD = [
    "Background",
    "background",
    "0",
    "1",
    "a\tb",
    "\U0001f697",
    " ",
    "é",
    "e\u0301",
    "x" * 300,
    "</class>",
    "-1",
]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("wish", ["rename", "merge", "drop others"])
def test_odd_names_of_classes(tmp_path, name, wish):
    """A new name that a class may have, and an old one as well: to the name, and back."""
    folder = street(tmp_path / "old")
    wishes: dict[str, dict[str, Any]] = {
        "rename": {"rename": {"car": name}},
        "merge": {"merge": {name: ["car", "truck"]}},
        "drop others": {"rename": {"car": name}, "drop": ["road", "truck"]},
    }
    first = relabel(folder, tmp_path / "new", **wishes[wish])
    after = {
        "rename": {"car": name},
        "merge": {"car": name, "truck": name},
        "drop others": {"car": name, "road": "BACKGROUND", "truck": "BACKGROUND"},
    }[wish]
    wanted = [[after.get(each, each) for each in row] for row in ROWS]
    [value] = read_lines(first.manifest)
    assert shown(tmp_path / "new", value) == wanted
    read = read_manifest(first.manifest)
    by_id, item = read.labels.by_id, read[0]
    assert [[by_id[i] for i in row] for row in item.mask().tolist()] == wanted
    back = relabel(first.manifest, tmp_path / "back", rename={name: "auto"})
    [value] = read_lines(back.manifest)
    assert shown(tmp_path / "back", value) == [
        ["auto" if each == name else each for each in row] for row in wanted
    ]
    assert not [each for each in check(back.manifest, images=False).problems if each.severity == "error"]


def test_a_class_called_background_in_another_spelling_stays_a_class(tmp_path):
    colors = {"BACKGROUND": WHITE, "Background": "#000000", "background": "#010101"}
    folder = street(tmp_path / "old", [["Background", "background", "BACKGROUND"]], colors)
    result = relabel(folder, tmp_path / "new", merge={"backdrop": ["Background", "background"]})
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "new", value) == [["backdrop", "backdrop", "BACKGROUND"]]


@pytest.mark.parametrize("rename", [{"car": "tree"}, {"car": "auto"}])
def test_a_class_that_the_given_list_lacks_is_named(tmp_path, rename):
    """Else `car` of one image and `tree` of another became one class without a word."""
    plain = {"BACKGROUND": WHITE, "tree": "#123456"}
    cars = {"BACKGROUND": WHITE, "car": "#1f77b4"}
    folder = write_set(
        tmp_path / "old",
        [
            (line("a.jpg", "m/0.png", cars), mask([["car"]], cars)),
            (line("b.jpg", "m/1.png", plain), mask([["tree"]], plain)),
        ],
    )
    with pytest.raises(ManifestError, match="line 2: class 'tree' is not in the label list"):
        relabel(read_manifest(folder, labels=["car"]), tmp_path / "new", rename=rename)
    assert not (tmp_path / "new/output.manifest").exists()


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({}, "nothing to do"),
        ({"rename": {}}, "nothing to do"),
        ({"drop": []}, "nothing to do"),
        ({"merge": {}}, "nothing to do"),
        ({"rename": {"nobody": "x"}}, "there is no class 'nobody'"),
        ({"rename": {"BACKGROUND": "x"}}, "there is no class 'BACKGROUND'"),
        ({"rename": {"car": ""}}, "can't be called ''"),
        ({"rename": {"car": "BACKGROUND"}}, "can't be called 'BACKGROUND'"),
        ({"rename": {"car": 5}}, "can't be called 5"),
        ({"rename": {"car": "road"}}, "two classes would be called 'road'"),
        ({"rename": {"car": "x", "road": "x"}}, "two classes would be called 'x'"),
        ({"rename": {"car": "x"}, "merge": {"x": ["road", "truck"]}}, "two classes would be called 'x'"),
        ({"rename": {"car": "x"}, "drop": ["car"]}, "'car' is named twice"),
        ({"merge": {"x": ["car", "car"]}}, "'car' is named twice"),
        ({"merge": {"x": ["car", "road"], "y": ["car", "truck"]}}, "'car' is named twice"),
        ({"merge": {"x": ["car"]}}, r"two classes or more for 'x', got \['car'\]"),
        ({"merge": {"x": "car"}}, r"two classes or more for 'x', got \['car'\]"),
        ({"merge": {"road": ["car", "truck"]}}, "two classes would be called 'road'"),
        ({"merge": {"BACKGROUND": ["car", "truck"]}}, "can't be called 'BACKGROUND'"),
        ({"drop": ["car", "road", "truck"]}, "no class would be left"),
        ({"drop": "car", "rename": {"car": "x"}}, "'car' is named twice"),
    ],
)
def test_wishes_that_cannot_be(tmp_path, wishes, message):
    folder = street(tmp_path / "old")
    with pytest.raises(ManifestError, match=message):
        relabel(folder, tmp_path / "new", **wishes)
    assert not (tmp_path / "new").exists()


def test_wishes_that_look_as_if_they_could_not_be(tmp_path):
    """Two classes change their names with each other, and a group takes the name of one that goes away."""
    result = relabel(street(tmp_path / "old"), tmp_path / "one", rename={"car": "road", "road": "car"})
    [value] = read_lines(result.manifest)
    swap = {"car": "road", "road": "car"}
    assert shown(tmp_path / "one", value) == [[swap.get(each, each) for each in row] for row in ROWS]
    assert (result.renamed, result.classes) == (1, ("road", "car", "truck"))
    result = relabel(
        street(tmp_path / "old2"), tmp_path / "two", merge={"road": ["car", "truck"]}, drop="road"
    )
    [value] = read_lines(result.manifest)
    names = {"car": "road", "truck": "road", "road": "BACKGROUND"}
    assert shown(tmp_path / "two", value) == [[names.get(each, each) for each in row] for row in ROWS]
    assert result.classes == ("road",)


def test_merged_classes_keep_the_colour_of_the_first_and_dropped_ones_lend_theirs_to_nobody(tmp_path):
    folder = street(tmp_path / "old")
    result = relabel(folder, tmp_path / "new", merge={"vehicle": ["truck", "car"]}, drop=["road"])
    [value] = read_lines(result.manifest)
    table = value["streets-ref-metadata"]["internal-color-map"]
    assert [(e["class-name"], e["hex-color"], e["confidence"]) for e in table.values()] == [
        ("BACKGROUND", WHITE, 0.5),
        ("vehicle", COLORS["car"], 0.5),
    ]
    assert list(table) == ["0", "1"]


@pytest.mark.parametrize("taken", [[], ["#ffffff"], ["#ffffff", "#fffffe"], ["#fffffe"]])
def test_a_map_without_background_gets_one_in_a_colour_of_its_own(tmp_path, taken):
    colors = {f"c{i}": color for i, color in enumerate([*taken, "#000000", "#123456"])}
    names = list(colors)
    folder = street(tmp_path / "old", [names], colors)
    result = relabel(folder, tmp_path / "new", drop=names[-1:])
    [value] = read_lines(result.manifest)
    table = value["streets-ref-metadata"]["internal-color-map"]
    found = [entry["hex-color"] for entry in table.values()]
    assert len(set(found)) == len(found) and table["0"]["class-name"] == "BACKGROUND"
    paper = next(c for c in ("#ffffff", "#fffffe", "#fffffd") if c not in taken)
    assert table["0"]["hex-color"] == paper
    assert shown(tmp_path / "new", value) == [[*names[:-1], "BACKGROUND"]]


@pytest.mark.parametrize(("classes", "fits"), [(256, True), (257, True), (258, False)])
def test_as_many_classes_as_a_palette_has(tmp_path, classes, fits):
    """Two of them become one, so that with the background 256 are left of 256 classes, and 257 of 257."""
    colors = {"BACKGROUND": WHITE, **{f"c{i}": f"#{i:06x}" for i in range(classes)}}
    rgb = np.array([[list(bytes.fromhex(c[1:])) for c in colors.values()]], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    folder = write_set(tmp_path / "old", [(line("a.jpg", "m/0.png", colors), buffer.getvalue())])
    group = [f"c{i}" for i in range(classes - 254 if fits else 2)]
    if not fits:
        with pytest.raises(RepairError, match="line 1: has 258 classes"):
            relabel(folder, tmp_path / "new", merge={"one": group})
        return
    result = relabel(folder, tmp_path / "new", merge={"one": group})
    [value] = read_lines(result.manifest)
    assert len(value["streets-ref-metadata"]["internal-color-map"]) == 256
    names = ["one" if name in group else name for name in colors]
    assert shown(tmp_path / "new", value) == [names]


def test_unknown_colours_become_background_where_asked_and_stop_else(tmp_path):
    folder = street(tmp_path / "old")
    wide = {**COLORS, "stranger": "#abcdef"}
    (folder / "masks/0_m.png").write_bytes(mask([["stranger", "car", "road"]], wide))
    with pytest.raises(LabelsError, match="outside the colour map: #abcdef"):
        relabel(folder, tmp_path / "stop", drop=["car"])
    assert not list((tmp_path / "stop").rglob("*.png"))
    result = relabel(read_manifest(folder, unknown="background"), tmp_path / "new", drop=["car"])
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "new", value) == [["BACKGROUND", "BACKGROUND", "road"]]
    with pytest.raises(ManifestError, match="can't keep pixels of colours that nobody knows"):
        relabel(read_manifest(folder, unknown="ignore"), tmp_path / "no", drop=["car"])


@pytest.mark.parametrize("text", ["", "\n", '{"source-ref": "a.jpg"}\n', '\ufeff{"source-ref": "a.jpg"}\r\n'])
def test_manifests_without_labels_are_named(tmp_path, text):
    (tmp_path / "output.manifest").write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match="no line has labels that could get other names"):
        relabel(tmp_path, tmp_path / "new", rename={"car": "auto"})
    assert not (tmp_path / "new").exists()


def test_a_number_that_json_cannot_hold_is_not_written(tmp_path):
    folder = street(tmp_path / "old")
    place = folder / "output.manifest"
    place.write_text(place.read_text().replace('{"source-ref"', '{"score": 1e999, "source-ref"'))
    commands: list[Any] = [partial(relabel, rename={"car": "x"}), repair]
    for number, command in enumerate(commands):
        with pytest.raises(ManifestError, match=r"line of 'a\.jpg' has a number that is too large"):
            command(folder, tmp_path / "new" / str(number))
    assert not list((tmp_path / "new").rglob("*.manifest"))


def test_half_a_surrogate_and_every_alphabet_come_along(tmp_path):
    note = {"note": "\ud800", "ключ": "日本\U0001f680", "deep": [{"a": None, "b": 1.5, "c": 10**30}]}
    folder = write_set(tmp_path / "old", [(line("фото.jpg", "m/0.png", COLORS), mask(ROWS, COLORS))])
    [value] = read_lines(folder / "output.manifest")
    (folder / "output.manifest").write_text(json.dumps({**value, **note}) + "\n")
    result = relabel(folder, tmp_path / "new", drop=["car"])
    [after] = read_lines(result.manifest)
    assert {key: after[key] for key in note} == note and after["source-ref"] == "фото.jpg"
