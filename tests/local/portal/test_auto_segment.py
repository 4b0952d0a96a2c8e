"""Four extreme points → a mask."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from ground_truth_local.portal.auto_segment import auto_segment
from ground_truth_local.portal.points import AutoSegmentError, Hint, parse_hints, parse_points
from tests.local.portal.workshop import picture


def whole(segment, size):
    """Return the mask at its place in the picture."""
    full = np.zeros((size[1], size[0]), bool)
    height, width = segment.mask.shape
    full[segment.top : segment.top + height, segment.left : segment.left + width] = segment.mask > 0
    return full


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.mark.parametrize("size", [(120, 80), (1500, 1000)])
def test_an_ellipse_is_found(size) -> None:
    y, x = np.mgrid[: size[1], : size[0]]
    truth = ((x / size[0] - 0.5) / 0.3) ** 2 + ((y / size[1] - 0.5) / 0.3) ** 2 <= 1
    width, height = size
    points = [
        (width * 0.5, height * 0.2),
        (width * 0.5, height * 0.8 - 1),
        (width * 0.2, height * 0.5),
        (width * 0.8 - 1, height * 0.5),
    ]
    found = whole(auto_segment(picture(size, "PNG"), points), size)
    assert overlap(found, truth) > 0.95


def test_the_rim_of_a_cup_in_a_photograph_is_found() -> None:
    buffer = io.BytesIO()
    Image.fromarray(data.coffee()).save(buffer, "JPEG", quality=92)
    y, x = np.mgrid[:400, :600]
    truth = ((x - 291) / 119) ** 2 + ((y - 113) / 95) ** 2 <= 1
    found = auto_segment(buffer.getvalue(), [(310, 18), (290, 207), (172, 110), (410, 95)])
    assert overlap(whole(found, (600, 400)), truth) > 0.9
    # The same clicks, in another order, give the same mask.
    again = auto_segment(buffer.getvalue(), [(410, 95), (172, 110), (310, 18), (290, 207)])
    assert (again.mask == found.mask).mean() > 0.98


def test_a_picture_is_taken_as_it_is_stored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture((120, 80), "PNG"))).save(buffer, "JPEG", exif=exif)
    found = auto_segment(buffer.getvalue(), [(60, 16), (60, 63), (24, 40), (95, 40)])
    assert found.mask.mean() / 255 > 0.7


def test_a_picture_without_contrast_gives_something_inside_the_points() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 60), "gray").save(buffer, "PNG")
    found = auto_segment(buffer.getvalue(), [(30, 10), (30, 50), (10, 30), (50, 30)])
    assert (found.left, found.top) == (10, 10)
    assert found.mask.shape == (41, 41)


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([(30, 10), (30, 500), (10, 30), (50, 30)], "outside the picture"),
        ([(30, 30), (30, 31), (30, 30), (31, 30)], "too close together"),
        ([(-1, 5)] * 4, "outside the picture"),
    ],
    ids=["outside", "too close", "negative"],
)
def test_points_that_make_no_sense_are_refused(points, why: str) -> None:
    with pytest.raises(AutoSegmentError, match=why):
        auto_segment(picture((60, 60)), points)


def test_clicks_say_what_belongs_to_the_object() -> None:
    """Two discs of one colour: the second is outside until it is clicked, and a click takes a part away."""
    y, x = np.mgrid[:200, :300]
    first, second = np.hypot(x - 100, y - 100) <= 40, np.hypot(x - 215, y - 100) <= 40
    buffer = io.BytesIO()
    Image.fromarray(
        np.where((first | second)[..., None], (220, 70, 40), (40, 80, 140)).astype(np.uint8)
    ).save(buffer, "PNG")
    points = [(60, 100), (255, 100), (100, 60), (100, 140)]
    both = whole(auto_segment(buffer.getvalue(), points), (300, 200))
    assert overlap(both, first | second) > 0.9
    bridge = whole(auto_segment(buffer.getvalue(), points, [Hint(157, 100, True)]), (300, 200))
    assert bridge[100, 157]
    less = whole(auto_segment(buffer.getvalue(), points, [Hint(215, 100, False)]), (300, 200))
    assert not less[100, 215]
    wider = auto_segment(
        buffer.getvalue(), [(60, 100), (140, 100), (100, 60), (100, 140)], [Hint(230, 100, True)]
    )
    assert wider.left + wider.mask.shape[1] > 230


NO_HINTS = [{}, [[1, 2]], [[1, 2, 3]], [[1, "2", 1]], [[1, 2, 1]] * 201]


@pytest.mark.parametrize("content", NO_HINTS, ids=range(len(NO_HINTS)))
def test_what_is_not_hints_is_refused(content) -> None:
    with pytest.raises(AutoSegmentError, match="Give up to 200 hints"):
        parse_hints(content)


NO_POINTS: list[Any] = [
    None,
    {},
    [[1, 2]] * 3,
    [[1, 2, 3]] * 4,
    [["1", "2"]] * 4,
    [[1e9, 0]] * 4,
    [[float("nan"), 0]] * 4,
    [[True, 0]] * 4,
]


@pytest.mark.parametrize("content", NO_POINTS)
def test_what_is_not_four_points_is_refused(content) -> None:
    with pytest.raises(AutoSegmentError, match="Give 4 points"):
        parse_points(content)
