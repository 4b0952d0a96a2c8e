"""Merging what somebody else wrote: where it writes, what it reads, which of two labels it takes."""

from __future__ import annotations

import json

import pytest

from ground_truth_labels import (
    LabelsError,
    ManifestError,
    merge,
    read_manifest,
)
from tests.labels.sets import (
    COLORS,
    labeled,
    line,
    mask,
    read_lines,
    shown,
    write_manifest,
)

ROAD, CAR = mask([["road", "BACKGROUND"]], COLORS), mask([["car", "BACKGROUND"]], COLORS)


@pytest.mark.attack("whoever sends finished labels", "the reader's files", attempts=7)
@pytest.mark.parametrize(
    "attribute",
    ["x/../../../evil", "../../evil", "/etc/evil", "a/b/c", "..", "x\\..\\..\\evil", "C:evil"],
)
def test_an_attribute_that_is_a_path_leads_nowhere(tmp_path, attribute):
    places = [
        labeled(tmp_path / f"in/{name}", f"{name}.jpg", data, attribute=attribute)
        for name, data in (("a", ROAD), ("b", CAR))
    ]
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    target = tmp_path / "deep/er/out"
    result = merge(places, target)
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - set(before)
    assert {path.parent for path in new} == {target, target / "masks"} and len(new) == 4
    values = read_lines(result.manifest)
    assert [shown(target, value, attribute) for value in values] == [
        [["road", "BACKGROUND"]],
        [["car", "BACKGROUND"]],
    ]


def test_two_attributes_that_no_file_can_be_called_after_keep_their_masks(tmp_path):
    both = line("a.jpg", "road.png", COLORS, attribute="my label")
    both.update(line("a.jpg", "car.png", COLORS, attribute="my/label"))
    (tmp_path / "one").mkdir()
    for name, data in (("road.png", ROAD), ("car.png", CAR)):
        (tmp_path / "one" / name).write_bytes(data)
    write_manifest(tmp_path / "one", [both])
    other = labeled(tmp_path / "two", "b.jpg", CAR)
    result = merge([tmp_path / "one", other], tmp_path / "all")
    first, _ = read_lines(result.manifest)
    assert first["my label"] != first["my/label"]
    assert shown(tmp_path / "all", first, "my label") == [["road", "BACKGROUND"]]
    assert shown(tmp_path / "all", first, "my/label") == [["car", "BACKGROUND"]]


# Two creation dates, and the newer; None where they don't tell.
DATES = [
    ("2026-11-23T08:00:00.000000", "2026-11-23T08:00:00.000001", "second"),
    ("2026-11-23T08:00:00.000Z", "2026-11-23T07:59:59", "first"),
    ("2026-11-23T10:00:00+02:00", "2026-11-23T08:00:01Z", "second"),
    ("2026-11-23T10:00:00+02:00", "2026-11-23T07:59:59Z", "first"),
    ("2026-11-23T10:00:00+02:00", "2026-11-23T08:00:00Z", None),
    ("2026-11-23", "2026-11-22T23:59:59.999", "first"),
    ("20261123T080000Z", "2026-11-23T07:00:00Z", "first"),
    ("2026-11-23T08:00:00", "Mon Nov 23 2026", "first"),
    ("yesterday", "tomorrow", None),
    ("", "", None),
    (None, None, None),
    (20261123, "2026-11-23", "second"),
    ("2026-11-23", ["2027"], "first"),
    # Moments that no calendar has in UTC are none.
    ("0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", None),
    ("0001-01-01T00:00:00+05:00", "2026-11-23", "second"),
    ("2026-11-23", "9999-12-31T23:59:59-05:00", "first"),
    ("2026-02-30T00:00:00", "2026-02-28T00:00:00", "second"),
]


@pytest.mark.parametrize(("first", "second", "newer"), DATES, ids=str)
@pytest.mark.parametrize("last", ["first", "second"])
def test_the_newer_label_is_kept(tmp_path, first, second, newer, last):
    """Whatever the order of the manifests; the last one's where dates don't tell."""
    labeled(tmp_path / "first", "a.jpg", ROAD, created=first)
    labeled(tmp_path / "second", "a.jpg", CAR, created=second)
    kept = newer or last
    (other,) = {"first", "second"} - {kept}
    result = merge(
        sorted([tmp_path / "first", tmp_path / "second"], reverse=last == "first"), tmp_path / "all"
    )
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "all", value) == [[{"first": "road", "second": "car"}[kept], "BACKGROUND"]]
    [conflict] = result.conflicts
    assert conflict.chosen == f"{tmp_path}/{kept}/output.manifest, line 1"
    assert conflict.other == f"{tmp_path}/{other}/output.manifest, line 1"
    why = "older" if newer else "of an earlier manifest"
    assert conflict.reason == f"{why}, 50.00% of its pixels differ"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (5, "must refer to a mask, got 5"),
        (["m.png"], "must refer to a mask"),
        ({}, "must refer to a mask"),
        ("../m.png", "must not have '..' segments"),
        ("file:///etc/passwd", "s3://… or a relative path"),
        ("", "text without control characters"),
        ("gone.png", "not found below"),
        ("broken.png", "broken PNG"),
        ("text.png", "must be a PNG"),
    ],
)
def test_a_newer_label_that_cannot_be_read_gives_way_and_alone_stops(tmp_path, value, reason):
    good = labeled(tmp_path / "good", "a.jpg", ROAD)
    bad = labeled(tmp_path / "bad", "a.jpg", CAR, created="2027-01-01")
    (bad / "broken.png").write_bytes(CAR[:60])
    (bad / "text.png").write_text("text")
    [entry] = read_lines(bad / "output.manifest")
    write_manifest(bad, [{**entry, "streets-ref": value}])
    result = merge([good, bad], tmp_path / "all")
    [kept] = read_lines(result.manifest)
    assert shown(tmp_path / "all", kept) == [["road", "BACKGROUND"]]
    [conflict] = result.conflicts
    assert conflict.reason.startswith("can't be read: ") and reason in conflict.reason
    write_manifest(good, [{"source-ref": "b.jpg"}])
    if value in ("broken.png", "text.png"):
        # There is no other; it is copied as it is, and told again when it is read.
        assert merge([good, bad], tmp_path / "alone").images == 2
        return
    with pytest.raises(LabelsError, match=r"bad/output\.manifest"):
        merge([good, bad], tmp_path / "alone")
    assert not (tmp_path / "alone/output.manifest").exists()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"source-ref": "a.jpg", "score": 1e999}', "'a.jpg' has a number that is too large"),
        ('{"source-ref": "a.jpg", "score": [-1e400]}', "'a.jpg' has a number that is too large"),
        ('{"source-ref": "a.jpg", "score": NaN}', "NaN is no JSON"),
        ('{"source-ref": "../a.jpg"}', "must not have '..'"),
        ('{"source-ref": ["a.jpg"]}', "must have 'source-ref'"),
        ("[]", "must be a JSON object, got list"),
        ("{", "must be a JSON object in UTF-8"),
    ],
)
def test_nothing_is_written_as_a_manifest_that_nobody_can_read(tmp_path, lines, message):
    good = labeled(tmp_path / "good", "b.jpg", ROAD)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/output.manifest").write_text(lines + "\n")
    with pytest.raises(ManifestError, match=message.replace("[", r"\[")):
        merge([good, tmp_path / "bad"], tmp_path / "all")
    assert not [path for path in (tmp_path / "all").rglob("*") if "masks" not in path.parts]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "\ufeff",
        '\ufeff{"source-ref": "c.jpg"}',
        '{"source-ref": "c.jpg"}\r\n\r\n{"source-ref": "d.jpg"}\r\n',
        '{"source-ref": "c.jpg"}\n{"source-ref": "c.jpg"}\n',
        '  {"source-ref": "c.jpg"}  ',
        '{"source-ref": "\\u00e9 \\ud83d\\ude80.jpg", "note": "\\ud800"}',
    ],
)
def test_lines_as_editors_leave_them(tmp_path, text):
    good = labeled(tmp_path / "good", "b.jpg", ROAD)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/output.manifest").write_text(text, encoding="utf-8")
    result = merge([good, tmp_path / "other"], tmp_path / "all")
    sources = [value["source-ref"] for value in read_lines(result.manifest)]
    wanted = [
        json.loads(each.strip("\ufeff \r"))["source-ref"]
        for each in text.split("\n")
        if each.strip("\ufeff \r")
    ]
    assert sources == ["b.jpg", *dict.fromkeys(wanted)] and result.images == len(sources)
    assert [item.state for item in read_manifest(result.manifest)] == ["labeled"] + ["unlabeled"] * (
        len(sources) - 1
    )


def test_other_values_of_an_image_keep_the_first_and_are_told(tmp_path):
    labeled(tmp_path / "one", "a.jpg", ROAD, weather="sun", count=1, same={"a": [1]})
    labeled(tmp_path / "two", "a.jpg", ROAD, weather="rain", count=True, same={"a": [1]}, more=None)
    result = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "all")
    [value] = read_lines(result.manifest)
    assert (value["weather"], value["count"], value["same"], value["more"]) == ("sun", 1, {"a": [1]}, None)
    [conflict] = result.conflicts
    assert conflict.attribute == "weather" and conflict.reason == 'the first is kept of "sun" and "rain"'


def test_masks_that_say_the_same_in_other_colours_and_indices_are_no_conflict(tmp_path):
    other = {"car": "#00ff00", "BACKGROUND": "#000000", "road": "#ff00ff"}
    labeled(tmp_path / "one", "a.jpg", ROAD)
    (tmp_path / "two").mkdir()
    (tmp_path / "two/m.png").write_bytes(mask([["road", "BACKGROUND"]], other, permute=2))
    write_manifest(tmp_path / "two", [line("a.jpg", "m.png", other)])
    result = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "all")
    assert result.conflicts == ()
    [value] = read_lines(result.manifest)
    assert value["streets-ref-metadata"]["internal-color-map"]["0"]["class-name"] == "car"
    assert shown(tmp_path / "all", value, indexed=False) == [["road", "BACKGROUND"]]


def test_masks_of_another_size_are_told_with_it(tmp_path):
    labeled(tmp_path / "one", "a.jpg", mask([["road"]] * 3, COLORS))
    labeled(tmp_path / "two", "a.jpg", ROAD)
    result = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "all")
    assert [each.reason for each in result.conflicts] == [
        "of an earlier manifest, of another size, 1 x 3 pixels"
    ]


def test_three_labels_of_one_image(tmp_path):
    for name, data, created in (
        ("a", ROAD, "2026-01-03"),
        ("b", CAR, "2026-01-01"),
        ("c", ROAD, "2026-01-02"),
    ):
        labeled(tmp_path / name, "a.jpg", data, created=created)
    result = merge([tmp_path / name for name in "abc"], tmp_path / "all")
    [value] = read_lines(result.manifest)
    assert value["streets-ref-metadata"]["creation-date"] == "2026-01-03"
    # That of c says the same, so one alone is told.
    assert [(each.other.split("/")[-2], each.reason) for each in result.conflicts] == [
        ("b", "older, 50.00% of its pixels differ")
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_a_failure_never_hides_a_label(tmp_path, turned):
    labeled(tmp_path / "good", "a.jpg", ROAD, created="2020-01-01")
    failed = {"failure-reason": "expired", "creation-date": "2027-01-01"}
    write_manifest(tmp_path / "failed", [{"source-ref": "a.jpg", "streets-ref-metadata": failed}])
    places = [tmp_path / "good", tmp_path / "failed"]
    result = merge(reversed(places) if turned else places, tmp_path / "all")
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "all", value) == [["road", "BACKGROUND"]]
    assert "failure-reason" not in value["streets-ref-metadata"] and result.labels == {"streets-ref": 1}
    assert result.conflicts == ()


def test_failures_alone_stay_failures(tmp_path):
    for name, reason in (("one", "expired"), ("two", "declined")):
        metadata = {"failure-reason": reason, "creation-date": f"2026-01-0{len(reason) - 5}"}
        write_manifest(tmp_path / name, [{"source-ref": "a.jpg", "streets-ref-metadata": metadata}])
    result = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "all")
    [item] = read_manifest(result.manifest, attribute="streets-ref")
    assert item.state == "failed" and item.failure == "declined"
    assert result.labels == {"streets-ref": 0} and result.conflicts == ()
