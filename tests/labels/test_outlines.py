"""Rings and polygons of classes, held against flood fill, ray casting and the shoelace formula."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels.exports.outlines import trace
from ground_truth_labels.exports.polygons import class_polygons, polygons

SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
ALL_AROUND = (*SIDES, (1, 1), (1, -1), (-1, 1), (-1, -1))


def parts(inside, steps):
    """Connected sets of the pixels in `inside`, by flood fill."""
    left, found = set(inside), list[set[tuple[int, int]]]()
    while left:
        todo = [left.pop()]
        part = set(todo)
        while todo:
            y, x = todo.pop()
            for dy, dx in steps:
                if (y + dy, x + dx) in left:
                    left.remove((y + dy, x + dx))
                    part.add((y + dy, x + dx))
                    todo.append((y + dy, x + dx))
        found.append(part)
    return found


def pixels(mask, number):
    return {(y, x) for y, row in enumerate(mask.tolist()) for x, value in enumerate(row) if value == number}


def holes(part, shape):
    """What the part encloses: sets of other pixels that can't get out, not even over a corner."""
    around = {(y, x) for y in range(-1, shape[0] + 1) for x in range(-1, shape[1] + 1)} - part
    return [each for each in parts(around, ALL_AROUND) if (-1, -1) not in each]


def ring_corners(rings, number):
    begin, end = int(rings.first[number]), int(rings.first[number + 1])
    return list(zip(rings.x[begin:end].tolist(), rings.y[begin:end].tolist(), strict=True))


def doubled_area(corners):
    """The shoelace formula: positive where the ring runs clockwise, as y points down."""
    return sum(
        x * below - across * y
        for (x, y), (across, below) in zip(corners, [*corners[1:], corners[0]], strict=True)
    )


def inside_of(corners, shape):
    """Pixels whose centre lies inside, by rays to the left that cross an odd number of sides."""
    crossings = defaultdict(list)
    for (x, y), (across, below) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if x == across:
            for row in range(min(y, below), max(y, below)):
                crossings[row].append(x)
    return {
        (row, column)
        for row, sides in crossings.items()
        for column in range(shape[1])
        if sum(side <= column for side in sides) % 2
    }


def check_rings(mask, wanted) -> None:
    """Each part has one ring around it and one around each of its holes, and nothing else has any."""
    chosen = np.zeros(max(wanted, default=0) + 1, bool)
    chosen[list(wanted)] = True
    rings = trace(mask, chosen)
    outer: dict[int, list[Any]] = defaultdict(list)
    inner: dict[int, list[Any]] = defaultdict(list)
    for number, owner in enumerate(rings.owner.tolist()):
        corners = ring_corners(rings, number)
        assert doubled_area(corners) == 2 * rings.area[number] != 0
        # It begins with a horizontal piece, and turns at every corner.
        for index, ((x, y), (across, below)) in enumerate(itertools.pairwise([*corners, corners[0]])):
            assert (y == below) == (index % 2 == 0) and (x == across) == (index % 2 == 1)
        side = outer if rings.area[number] > 0 else inner
        side[owner].append(frozenset(inside_of(corners, mask.shape)))
    assert set(outer) | set(inner) <= set(wanted)
    for number in wanted:
        found = parts(pixels(mask, number), SIDES)
        gaps = [gap for part in found for gap in holes(part, mask.shape)]
        assert sorted(map(sorted, inner[number])) == sorted(map(sorted, gaps))
        whole = [part.union(*holes(part, mask.shape)) for part in found]
        assert sorted(map(sorted, outer[number])) == sorted(map(sorted, whole))


def test_all_pictures_of_three_by_three() -> None:
    for bits in itertools.product((0, 1), repeat=9):
        mask = np.array(bits, np.uint8).reshape(3, 3)
        check_rings(mask, {1})
    check_rings(np.array(bits, np.uint8).reshape(3, 3), {0, 1})


MASKS = st.integers(1, 9).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([0, 1, 2, 3]), min_size=width, max_size=width), min_size=1, max_size=9
    )
)


@settings(max_examples=150, deadline=None)
@given(rows=MASKS, wanted=st.sets(st.sampled_from([0, 1, 2, 3])))
def test_pictures_of_several_classes(rows, wanted) -> None:
    check_rings(np.array(rows, np.uint8), wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize("ids", [(0, 1), (254, 255), (7, 255)])
def test_ids_at_the_ends_of_a_byte(dtype, ids) -> None:
    mask = np.array([[ids[0], ids[1], ids[1]], [ids[1], ids[0], ids[1]]], dtype)
    check_rings(mask, set(ids))
    check_rings(mask, {ids[1]})
    check_rings(mask, {ids[0]})


def test_ids_beyond_a_byte() -> None:
    mask = np.array([[300, 0, 65_535], [300, 300, 65_535], [0, 44, 44]], np.uint16)
    check_rings(mask, {300, 65_535})
    # In eight bits 300 would be 44.
    check_rings(mask, {44})
    check_rings(mask, {0, 44, 300})


def test_classes_that_are_not_there_or_not_wanted_have_no_rings() -> None:
    mask = np.array([[5, 9]], np.uint8)
    for wanted in (set(), {1}, {200}):
        check_rings(mask, wanted)
        assert class_polygons(mask, wanted) == {}
    assert polygons(np.zeros((3, 2), bool)) == []


# --- polygons ---


def pairs(flat):
    return list(zip(flat[::2], flat[1::2], strict=True))


@settings(max_examples=150, deadline=None)
@given(rows=MASKS)
def test_polygons_along_borders_enclose_a_class_and_nothing_else(rows) -> None:
    mask = np.array(rows, np.uint8)
    ids = set(np.unique(mask).tolist())
    found = class_polygons(mask, ids)
    assert list(found) == sorted(ids)
    for number, rings in found.items():
        wanted = parts(pixels(mask, number), SIDES)
        # One polygon is one part: its holes are cut out of it, by a cut that has no area.
        assert sorted(sorted(inside_of(pairs(ring), mask.shape)) for ring in rings) == sorted(
            map(sorted, wanted)
        )
        for ring in rings:
            assert doubled_area(pairs(ring)) == 2 * len(inside_of(pairs(ring), mask.shape))
            assert all(
                (x == across) or (y == below) for (x, y), (across, below) in itertools.pairwise(pairs(ring))
            )


@settings(max_examples=150, deadline=None)
@given(rows=MASKS)
def test_polygons_through_centres_are_filled_by_opencv(rows) -> None:
    # The other Pythons of `make pythons` have none.
    cv2 = pytest.importorskip("cv2")
    mask = np.array(rows, np.uint8)
    for number, rings in class_polygons(mask, set(np.unique(mask).tolist()), centres=True).items():
        canvas = np.zeros(mask.shape, np.uint8)
        for ring in rings:
            one = np.zeros(mask.shape, np.uint8)
            cv2.fillPoly(one, [np.array(pairs(ring), np.int32)], 1)
            canvas |= one
            # No point of it lies on somebody else's pixel.
            assert all(mask[y, x] == number for x, y in pairs(ring))
            assert all(here != there for here, there in itertools.pairwise(pairs(ring)))
        # A hole of one pixel lies on the line itself, which `fillPoly` paints: never less than the class.
        assert ((canvas == 1) | (mask != number)).all()


def nested(size):
    """Squares in one another, a pixel wide each, in turn of class 1 and 2."""
    rows, columns = np.mgrid[:size, :size]
    depth = np.minimum(np.minimum(rows, columns), np.minimum(size - 1 - rows, size - 1 - columns))
    return (depth % 2 + 1).astype(np.uint8)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 15, 24])
def test_squares_in_squares(size: int) -> None:
    mask = nested(size)
    check_rings(mask, {1, 2})
    for number, rings in class_polygons(mask, (1, 2)).items():
        found = [inside_of(pairs(ring), mask.shape) for ring in rings]
        assert set().union(*found) == pixels(mask, number)
        assert sum(map(len, found)) == len(pixels(mask, number))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (7, 8)])
@pytest.mark.parametrize("pattern", ["board", "rows", "columns", "full"])
def test_patterns(shape, pattern: str) -> None:
    rows, columns = np.indices(shape)
    made = {"board": rows + columns, "rows": rows, "columns": columns, "full": np.zeros(shape, int)}[pattern]
    mask = (made % 2).astype(np.uint8)
    check_rings(mask, {0, 1})
    for number, rings in class_polygons(mask, (0, 1)).items():
        assert len(rings) == len(parts(pixels(mask, number), SIDES))
        assert set().union(*(inside_of(pairs(ring), shape) for ring in rings)) == pixels(mask, number)


def test_many_holes_at_the_same_heights() -> None:
    """Cuts of several holes lie in one row, and holes hang on holes."""
    mask = np.ones((13, 41), np.uint8)
    mask[2:11:4, 2:39:3] = 0
    mask[5:8, 10:14] = 2
    check_rings(mask, {0, 1, 2})
    [ring] = class_polygons(mask, (1,))[1]
    assert inside_of(pairs(ring), mask.shape) == pixels(mask, 1)
    cv2 = pytest.importorskip("cv2")
    [ring] = class_polygons(mask, (1,), centres=True)[1]
    canvas = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(canvas, [np.array(pairs(ring), np.int32)], 1)
    assert (canvas[mask == 1] == 1).all()


def test_what_is_traced_is_left_as_it_was() -> None:
    mask = nested(9)
    mask.setflags(write=False)
    check_rings(mask, {1})
    for view in (mask[::2, ::-1], mask.T, np.asfortranarray(mask)):
        check_rings(view, {1, 2})
