"""Label lists: which class has which id, by counting on one's fingers."""

from __future__ import annotations

import colorsys
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels import LabelList, ManifestError, MissingError
from ground_truth_labels.classes import BACKGROUND, IGNORE, label_list

NAMES = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6).filter(lambda name: name != BACKGROUND),
    unique=True,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(names=NAMES, background=st.sampled_from([0, 1, 3, 254, 255, 256, 65_535]))
def test_ids_count_up_and_leave_two_out(names, background: int) -> None:
    listed = LabelList(tuple(names), background=background)
    wanted = {BACKGROUND: background}
    number = 0
    for name in names:
        while number in (background, IGNORE):
            number += 1
        wanted[name] = number
        number += 1
    assert listed.ids == wanted and list(listed.ids) == list(wanted)
    assert listed.by_id == {number: name for name, number in sorted(wanted.items(), key=lambda pair: pair[1])}
    assert list(listed.by_id) == sorted(listed.by_id)
    assert list(listed) == names and len(listed) == len(names)
    assert listed.lookup == wanted and listed.dtype == (
        np.uint8 if max(wanted.values()) <= 255 else np.uint16
    )


def test_a_byte_holds_254_classes() -> None:
    assert LabelList(tuple(f"c{n}" for n in range(254))).dtype == np.uint8
    wide = LabelList(tuple(f"c{n}" for n in range(255)))
    assert wide.dtype == np.uint16 and wide.ids["c254"] == 256 and wide.ids["c253"] == 254


@settings(max_examples=100, deadline=None)
@given(names=NAMES)
def test_names_met_are_sorted_whatever_the_order(names) -> None:
    listed = LabelList.from_names([*reversed(names), BACKGROUND, *names])
    assert listed.names == tuple(sorted(names)) == LabelList.from_names(set(names)).names


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelList(("a", "")), "class names must be non-empty text, got ''"),
        (lambda: LabelList(("a", None)), "class names must be non-empty text, got None"),  # type: ignore[arg-type]
        (lambda: LabelList(("b", "a", "b", "c", "a")), r"\['a', 'b'\] are repeated"),
        (lambda: LabelList((), background=-1), r"background must be in 0\.\.65535, got -1"),
        (lambda: LabelList((), background=65_536), r"background must be in 0\.\.65535, got 65536"),
        (lambda: LabelList(tuple(map(str, range(65_001)))), "has 65,001 classes, the limit is 65,000"),
        (lambda: LabelList(("a", "b"), given=(1,)), "must have an id for each of 2 classes"),
        (lambda: LabelList(("a",), given=(True,)), r"the id of 'a' must be in 0\.\.65534, got True"),
        (lambda: LabelList(("a",), given=(1.0,)), "got 1.0"),  # type: ignore[arg-type]
        (lambda: LabelList(("a",), given=(-1,)), "got -1"),
        (lambda: LabelList(("a",), given=(65_535,)), "got 65535"),
        (lambda: LabelList(("a",), given=(255,)), "'a' can't have the id 255, which trainers ignore"),
        (lambda: LabelList(("a",), given=(0,)), "'BACKGROUND' and 'a' have the same id 0"),
        (lambda: LabelList(("a", "b"), given=(4, 4)), "'a' and 'b' have the same id 4"),
    ],
)
def test_lists_that_are_none(make, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        make()


@settings(max_examples=100, deadline=None)
@given(ids=st.dictionaries(NAMES.filter(bool).map(lambda names: names[0]), st.integers(1, 254), max_size=8))
def test_ids_of_ones_own(ids) -> None:
    by_id: dict[int, list[str]] = {}
    for name, number in ids.items():
        by_id.setdefault(number, []).append(name)
    names = ["+".join(group) for group in by_id.values()]
    if len(set(names)) < len(names) or BACKGROUND in names:
        return
    listed = label_list(ids)
    assert listed.ids == {BACKGROUND: 0, **dict(zip(names, by_id, strict=True))}
    # A class that was merged with others is found under its old name.
    assert {name: listed.lookup[name] for name in ids} == ids


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (["road", "car"], {"road": 1, "car": 2}),
        (("BACKGROUND", "road"), {"road": 1}),
        ("road,car", {"road": 1, "car": 2}),
        (" road , , car,", {"road": 1, "car": 2}),
        ("road,", {"road": 1}),
        ("a=b,c", {"a=b": 1, "c": 2}),
        ("road=3,car=7", {"road": 3, "car": 7}),
        (" road = 3 , car = 7 ", {"road": 3, "car": 7}),
        ("a=b=2,c=4", {"a=b": 2, "c": 4}),
        ("BACKGROUND=9,road=1", {"BACKGROUND": 9, "road": 1}),
        ({"BACKGROUND": 5, "road": 0}, {"BACKGROUND": 5, "road": 0}),
        ({"road": 3, "path": 3}, {"road+path": 3}),
    ],
)
def test_one_rule_for_what_labels_may_be(given, classes) -> None:
    listed = label_list(given)
    assert listed.ids == {BACKGROUND: 0, **classes}
    assert label_list(listed) is listed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("road=3,car", "must be name=id for each class, or names alone, got 'road=3,car'"),
        ("=3,car=1", "must be name=id for each class"),
        ("road=9999999999,car=1", "must be name=id for each class"),
        ("road=-3,car=1", "must be name=id for each class"),
        ({"road": "3"}, "the id of 'road' must be in"),
        ({"road": None}, "the id of 'road' must be in"),
        ({"road": True}, "the id of 'road' must be in"),
        ({"road": 1.0, "car": 1}, "the id of 'road' must be in"),
        (7, "labels must be names, name → id, or a file, got 7"),
        ([1, 2], "class names must be non-empty text, got 1"),
    ],
)
def test_what_no_labels_are(given, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        label_list(given)


# --- files ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_file_with_a_name_on_each_line(encoding: str, end: str, tmp_path: Path) -> None:
    place = tmp_path / "classes.txt"
    place.write_bytes(end.join(["straße", " 車 ", "BACKGROUND", "a,b"]).encode(encoding))
    for named in (str(place), place):
        listed = label_list(named)
        assert listed.names == ("straße", "車", "a,b") and listed.origin == str(place)


def test_a_category_file_is_named_so(tmp_path: Path) -> None:
    place = tmp_path / "c.json"
    place.write_text(
        json.dumps({"document-version": "2018-11-28", "labels": [{"label": "b"}, {"label": "a"}]})
    )
    assert label_list(str(place)).names == ("b", "a") == LabelList.read(str(place)).names
    assert label_list(place, background=2).ids == {BACKGROUND: 2, "b": 0, "a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"labels": 3}',
        '{"labels": ["a"]}',
        '{"labels": [{"name": "a"}]}',
        "[" * 100_000,
        "\udc80",
    ],
)
def test_a_category_file_that_is_none(text: str, tmp_path: Path) -> None:
    place = tmp_path / "c.json"
    place.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ManifestError, match=r"c\.json: must be a label category file"):
        label_list(str(place))


def test_a_file_that_is_no_text_and_one_that_is_not_there(tmp_path: Path) -> None:
    place = tmp_path / "classes"
    place.write_bytes(b"stra\xdfe\n")
    with pytest.raises(ManifestError, match="must be text in UTF-8 with a class on each line"):
        label_list(str(place))
    with pytest.raises(MissingError, match="one class alone is written 'road,'"):
        label_list("road")


# --- colours ---


def test_colours_are_apart_and_the_palette_has_them() -> None:
    listed = LabelList(tuple(f"c{n}" for n in range(200)), background=3)
    assert len(set(listed.colors.values())) == 201 and listed.colors[3] == "#000000"
    palette = listed.palette()
    assert len(palette) == 768 and palette[3 * IGNORE : 3 * IGNORE + 3] == bytes.fromhex("e0e0e0")
    for number in range(256):
        there = palette[3 * number : 3 * number + 3].hex()
        assert there == listed.colors.get(number, "#e0e0e0" if number == IGNORE else "#000000")[1:]
    # Neighbours differ to an eye, not only in their numbers.
    colors = [bytes.fromhex(listed.colors[listed.ids[name]][1:]) for name in listed.names]
    for one, other in itertools.pairwise(colors):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 60
    hues = [
        colorsys.rgb_to_hsv(*bytes.fromhex(listed.colors[listed.ids[f"c{n}"]][1:]))[0] for n in range(20, 60)
    ]
    assert len({round(hue, 3) for hue in hues}) == len(hues)


def test_a_palette_of_more_than_a_byte_has_what_a_byte_can_name() -> None:
    listed = LabelList(tuple(f"c{n}" for n in range(300)))
    assert len(listed.palette()) == 768 and listed.colors[300]
