"""Regions against a flood fill by hand; keys, confidences and merges against their words."""

from __future__ import annotations

import numpy as np
import pytest

from ground_truth_labels import ManifestError, read_manifest
from ground_truth_labels.exports.regions import region_runs
from tests.labels.sets import COLORS, line, mask, write_set


def flood(picture):
    """(class, pixels) of each region, found pixel by pixel, by class and then down the columns."""
    height, width = picture.shape
    seen = np.zeros(picture.shape, bool)
    found = []
    for x in range(width):
        for y in range(height):
            if seen[y, x]:
                continue
            pixels, open_ = set(), [(y, x)]
            while open_:
                at = open_.pop()
                if at in pixels:
                    continue
                pixels.add(at)
                for row, column in (
                    (at[0] + 1, at[1]),
                    (at[0] - 1, at[1]),
                    (at[0], at[1] + 1),
                    (at[0], at[1] - 1),
                ):
                    inside = 0 <= row < height and 0 <= column < width
                    if inside and picture[row, column] == picture[y, x]:
                        open_.append((row, column))
            for row, column in pixels:
                seen[row, column] = True
            found.append((int(picture[y, x]), pixels))
    return sorted(found, key=lambda region: region[0])


def pixels_of(runs, height):
    flat = np.repeat(np.arange(runs.counts.size) % 2 == 1, runs.counts)
    return {(int(at) % height, int(at) // height) for at in np.flatnonzero(flat)}


SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (7, 5), (5, 7), (12, 12)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("classes", [1, 2, 3, 254])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_regions_equal_a_flood_fill(shape, classes, kind):
    rng = np.random.default_rng(shape[0] * 1000 + shape[1] * 10 + classes)
    for _ in range(4):
        picture = rng.integers(0, classes, shape).astype(kind)
        wanted = flood(picture)
        found = list(region_runs(picture))
        assert [runs.id for runs in found] == [number for number, _ in wanted]
        for runs, (_, pixels) in zip(found, wanted, strict=True):
            assert pixels_of(runs, shape[0]) == pixels and runs.area == len(pixels)
            rows, columns = zip(*pixels, strict=True)
            left, top = min(columns), min(rows)
            assert runs.bbox == (left, top, max(columns) - left + 1, max(rows) - top + 1)


@pytest.fixture
def images(tmp_path):
    places = ("s3://b/x/a.jpg", "s3://b/y/a.jpg", "s3://b/y/b.jpg", "c.jpg", "d//e.jpg")
    entries = []
    for number, place in enumerate(places):
        value = line(place, f"m/{number}.png", COLORS)
        for entry in value["streets-ref-metadata"]["internal-color-map"].values():
            entry["confidence"] = number / 4
        entries.append((value, mask([["car"]], COLORS)))
    return write_set(tmp_path / "set", entries)


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        (["s3://b/x/a.jpg"], [1]),
        (["x/a.jpg", "b.jpg"], [1, 3]),
        (["/b/y/a.jpg"], [2]),
        (["c.jpg", "e.jpg"], [4, 5]),
        (["d//e.jpg"], [5]),
        (["c.jpg", "c.jpg"], [4]),
        ([], []),
        (["a.jpg"], "'a.jpg' names 2 images"),
        (["jpg"], "no line has the image 'jpg'"),
        ([".jpg"], "no line has the image"),
        (["a.jpg/"], "no line has the image"),
        (["nobody", "nothing"], "no line has the image 'nobody', and 1 more"),
        ([""], "no line has the image ''"),
    ],
    ids=str,
)
@pytest.mark.parametrize("in_a_file", [False, True])
def test_keys_are_references_or_their_ends(images, tmp_path, keys, lines, in_a_file):
    given = keys
    if in_a_file:
        given = tmp_path / "keys.txt"
        given.write_text("\ufeff" + "".join(f"  {key}\r\n\r\n" for key in keys), encoding="utf-8")
        lines = [] if keys == [""] else lines
    manifest = read_manifest(images)
    if isinstance(lines, str):
        with pytest.raises(ManifestError, match=lines):
            manifest.where(keys=given)
        return
    assert [item.line for item in manifest.where(keys=given)] == lines


@pytest.mark.parametrize(("least", "lines"), [(0, 5), (0.25, 4), (0.26, 3), (0.75, 2), (1, 1), (1.0, 1)])
def test_the_least_confidence_is_taken(images, least, lines):
    assert len(read_manifest(images).where(min_confidence=least)) == lines


@pytest.mark.parametrize("least", [-0.01, 1.01, float("nan"), float("inf"), 80])
def test_confidences_that_cannot_be(images, least):
    with pytest.raises(ManifestError, match=r"min_confidence must be in 0\.\.1"):
        read_manifest(images).where(min_confidence=least)


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ({"vehicle": []}, "names no class that becomes 'vehicle'"),
        ({"vehicle": ["car"], "other": []}, "names no class that becomes 'other'"),
        ({"": []}, "names no class that becomes ''"),
        ({"": ["car"]}, "must be non-empty text"),
        ({"vehicle": ["nobody"]}, "there is no class 'nobody'"),
        ({"a": ["car"], "b": ["car"]}, "'car' can't become both 'a' and 'b'"),
    ],
)
def test_merges_in_reading_that_cannot_be(images, merge, message):
    with pytest.raises(ManifestError, match=message):
        _ = read_manifest(images, merge=merge).classes
