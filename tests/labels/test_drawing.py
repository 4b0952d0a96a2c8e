"""Overlays pixel by pixel: blended in plain Python, and legends found again by their ink."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from ground_truth_labels import LabelList, MaskError, read_manifest
from ground_truth_labels.classes import IGNORE
from ground_truth_labels.drawing import overlay
from tests.labels.sets import WHITE, line, mask, write_set

PAPER, INK, MUTED = (255, 255, 255), (31, 35, 40), (101, 109, 118)
RED, GREEN, BLUE = "#c81414", "#14c814", "#1414c8"


def rgb(color):
    return tuple(bytes.fromhex(color[1:]))


def blended(base, ids, colors, opacity):
    """What `overlay` documents, one pixel after the other."""
    out = base.copy()
    for y, row in enumerate(ids.tolist()):
        for x, number in enumerate(row):
            for channel, value in enumerate(colors.get(number, ())):
                mixed = int(base[y, x, channel]) * (1 - opacity) + value * opacity
                out[y, x, channel] = round(mixed)
    return out


def edge_pixels(ids, thickness):
    """Pixels within `thickness` rows or columns of another id."""
    height, width = ids.shape
    found = np.zeros(ids.shape, bool)
    for y in range(height):
        for x in range(width):
            for step in range(1, thickness + 1):
                around = ((y - step, x), (y + step, x), (y, x - step), (y, x + step))
                found[y, x] |= any(
                    0 <= row < height and 0 <= column < width and ids[row, column] != ids[y, x]
                    for row, column in around
                )
    return found


@settings(max_examples=60, deadline=None)
@given(
    ids=st.lists(
        st.lists(st.sampled_from([0, 1, 2, 7, IGNORE]), min_size=5, max_size=5), min_size=1, max_size=6
    ),
    opacity=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_every_pixel_is_mixed_as_documented(ids, opacity: float, seed: int) -> None:
    pixels = np.array(ids, np.uint8)
    base = np.random.default_rng(seed).integers(0, 256, (*pixels.shape, 3), dtype=np.uint8)
    drawn = overlay(
        base, pixels, {1: ("a", RED), 7: ("b", BLUE)}, opacity=opacity, outline=False, legend=False
    )
    wanted = blended(base, pixels, {1: rgb(RED), 7: rgb(BLUE)}, opacity)
    # Halves may be rounded either way.
    assert np.abs(np.asarray(drawn).astype(int) - wanted).max() <= 1
    assert (np.asarray(drawn)[~np.isin(pixels, (1, 7))] == base[~np.isin(pixels, (1, 7))]).all()


@pytest.mark.parametrize(
    ("shape", "thickness"), [((30, 40), 1), ((400, 500), 1), ((840, 900), 2), ((1400, 1000), 2)]
)
def test_an_outline_is_on_both_sides_of_an_edge_and_grows_with_the_picture(shape, thickness: int) -> None:
    ids = np.zeros(shape, np.uint8)
    ids[5:20, 8:30] = 1
    ids[12:25, 20:36] = 2
    base = np.full((*shape, 3), 240, np.uint8)
    drawn = np.asarray(overlay(base, ids, {1: ("a", RED), 2: ("b", GREEN)}, opacity=0.5, legend=False))
    dark = np.zeros(shape, bool)
    for number, color in ((1, RED), (2, GREEN)):
        line_color = np.array([round(value * 0.85) for value in rgb(color)])
        dark |= (ids == number) & (np.abs(drawn.astype(int) - line_color).max(-1) <= 1)
    # What is uncoloured has no line of its own.
    assert (dark[:60, :60] == (edge_pixels(ids[:60, :60], thickness) & (ids[:60, :60] > 0))).all()
    assert not dark[60:].any() and not dark[:, 60:].any()


def test_an_outline_needs_colours() -> None:
    ids = np.array([[0, 1, 1], [0, 1, 2]], np.uint8)
    base = np.full((2, 3, 3), 90, np.uint8)
    assert (np.asarray(overlay(base, ids, {1: "a"}, opacity=0, legend=False)) == base).all()
    assert (np.asarray(overlay(base, ids, {5: "a"}, legend=False)) == base).all()


def test_classes_without_a_colour_get_those_of_a_label_list() -> None:
    ids = np.array([[0, 3, 9], [IGNORE, 3, 9]], np.uint8)
    base = np.zeros((2, 3, 3), np.uint8)
    listed = LabelList(("first", "second")).colors
    wanted = {3: rgb(listed[1]), 9: rgb(listed[2])}
    for classes in ({3: "first", 9: "second"}, None):
        drawn = np.asarray(overlay(base, ids, classes, opacity=1, outline=False, legend=False))
        assert [drawn[0, x].tolist() for x in (0, 1, 2)] == [[0, 0, 0], list(wanted[3]), list(wanted[9])]
        assert drawn[1, 0].tolist() == [0, 0, 0]
    # A background among the names takes no colour from the others, however it is written.
    named = overlay(
        base, ids, {0: "Background", 3: "first", 9: "second"}, opacity=1, outline=False, legend=False
    )
    assert np.asarray(named)[0].tolist() == [[0, 0, 0], list(wanted[3]), list(wanted[9])]


def test_an_item_brings_its_photograph_its_mask_and_its_classes(tmp_path) -> None:
    colors = {"BACKGROUND": WHITE, "road": RED, "car": BLUE}
    rows = [["BACKGROUND", "car"], ["road", "car"]]
    folder = write_set(tmp_path / "job", [(line("a.png", "m.png", colors), mask(rows, colors))])
    Image.new("RGB", (2, 2), (40, 40, 40)).save(folder / "a.png")
    manifest = read_manifest(folder)
    plain = functools.partial(overlay, opacity=1.0, outline=False, legend=False)
    drawn = np.asarray(plain(manifest[0]))
    own = {name: rgb(manifest.labels.colors[number]) for name, number in manifest.classes.items()}
    for y, row in enumerate(rows):
        for x, name in enumerate(row):
            assert tuple(drawn[y, x].tolist()) == ((40, 40, 40) if name == "BACKGROUND" else own[name])
    other = np.full((2, 2), manifest.classes["road"], np.uint8)
    assert {tuple(p) for p in np.asarray(plain(manifest[0], other)).reshape(-1, 3).tolist()} == {own["road"]}
    renamed = plain(manifest[0], classes={manifest.classes["car"]: ("x", GREEN)})
    assert np.asarray(renamed)[0, 1].tolist() == list(rgb(GREEN))


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), height=st.integers(1, 14), width=st.integers(1, 14))
def test_a_mask_of_another_size_is_read_at_the_nearest_pixel_before(
    rows: int, columns: int, height: int, width: int
) -> None:
    ids = (np.arange(rows * columns) % 5).reshape(rows, columns).astype(np.uint8)
    base = np.zeros((height, width, 3), np.uint8)
    classes = {number: (f"c{number}", f"#0000{40 * number:02x}") for number in range(1, 5)}
    drawn = np.asarray(overlay(base, ids, classes, opacity=1, outline=False, legend=False))
    for y in range(height):
        for x in range(width):
            assert drawn[y, x, 2] == 40 * int(ids[y * rows // height, x * columns // width])


# --- the legend ---


class Legend:
    """The strip below a picture, and where something is in it."""

    def __init__(self, picture: Image.Image, height: int) -> None:
        self.pixels = np.asarray(picture)[height:]
        size = min(max(12, round(picture.width / 42)), 36)
        self.font = ImageFont.load_default(size)

    def box(self, color):
        """The rectangle that a class's colour takes: left, top, right, bottom."""
        rows, columns = np.nonzero((self.pixels == rgb(color)).all(-1))
        return (columns.min(), rows.min(), columns.max(), rows.max()) if rows.size else None

    def places(self, text, ink, fraction=0.0):
        """Left edges and rows at which exactly this text stands."""
        canvas = Image.new("RGB", (round(self.font.getlength(text)) + 40, 80), PAPER)
        ImageDraw.Draw(canvas).text((10 + fraction, 40), text, fill=ink, font=self.font, anchor="lm")
        drawn = np.asarray(canvas)
        rows, columns = np.nonzero((drawn != 255).any(-1))
        shape = drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        windows = np.lib.stride_tricks.sliding_window_view(self.pixels, shape.shape)[:, :, 0]
        found = (windows == shape).all((-1, -2, -3))
        return [(int(x), int(y)) for y, x in zip(*np.nonzero(found), strict=True)]

    def has_share(self, text):
        return any(self.places(text, MUTED, fraction / 64) for fraction in range(64))


def striped(shares, width=420, height=100):
    """Columns of ids 1, 2, … with these numbers of columns each, the rest is background."""
    ids = np.zeros((height, width), np.uint8)
    at = 0
    for number, columns in enumerate(shares, 1):
        ids[:, at : at + columns] = number
        at += columns
    return ids


def legend_of(ids, classes):
    base = np.full((*ids.shape, 3), 250, np.uint8)
    drawn = overlay(base, ids, classes, opacity=0.3)
    assert drawn.width == ids.shape[1]
    return Legend(drawn, ids.shape[0])


def test_a_legend_names_what_is_there_by_share() -> None:
    classes = {1: ("road", RED), 2: ("sky", GREEN), 3: ("car", BLUE), 4: ("never", "#777700")}
    legend = legend_of(striped([42, 210, 2]), classes)
    boxes = [legend.box(color) for color in (GREEN, RED, BLUE)]
    assert legend.box("#777700") is None and None not in boxes
    # The most frequent comes first, in one row where there is room.
    assert [box[0] for box in boxes] == sorted(box[0] for box in boxes)
    assert len({(box[1], box[3], box[2] - box[0]) for box in boxes}) == 1
    for box, name, share in zip(boxes, ("sky", "road", "car"), ("50%", "10%", "<1%"), strict=True):
        [(left, top)] = legend.places(name, INK)
        assert box[2] < left < box[2] + 20 and box[1] - 4 < top < box[3]
        assert legend.has_share(share)
    assert not legend.places("never", INK)


@pytest.mark.parametrize("width", [150, 420, 2_600])
def test_rows_of_a_legend_break_and_nothing_covers_anything(width: int) -> None:
    names = ["tree", "road", "a car", "sky", "house", "a person with a bag", "bus", "pole"]
    colors = [f"#{30 * number:02x}30{255 - 30 * number:02x}" for number in range(len(names))]
    ids = striped([width // 8 - number for number in range(len(names))], width)
    legend = legend_of(ids, {i: (n, c) for i, (n, c) in enumerate(zip(names, colors, strict=True), 1)})
    boxes = [legend.box(color) for color in colors]
    assert all(box[0] > 0 and box[2] < width for box in boxes)
    rows = sorted({box[1] for box in boxes})
    assert len(rows) > 1 if width < 2_600 else len(rows) == 1
    # Rows don't touch, and a paper's margin stays below the last, whose letters may hang a little deeper.
    size = boxes[0][3] - boxes[0][1]
    assert all(below - above > size for above, below in itertools.pairwise(rows))
    margin = legend.pixels[rows[-1] + size + size // 3 :]
    assert len(margin) and (margin == 255).all()
    order = sorted(range(len(names)), key=lambda number: (boxes[number][1], boxes[number][0]))
    assert order == list(range(len(names)))
    for number, (name, box) in enumerate(zip(names, boxes, strict=True)):
        places = [(x, y) for x, y in legend.places(name, INK) if box[1] - 4 < y < box[3]]
        assert [x for x, _ in places if x > box[2]], name
        after = boxes[number + 1] if number + 1 < len(names) and boxes[number + 1][1] == box[1] else None
        end = places[0][0] + legend.font.getlength(f"{name} 12%")
        # One wider than the picture alone in its row may lose its end.
        assert end < (after[0] if after else width) or box[0] < 20


def test_a_long_name_is_cut_with_dots() -> None:
    ids = striped([200], 900)
    legend = legend_of(ids, {1: ("x" * 41, RED)})
    assert legend.places("x" * 39 + "…", INK) and not legend.places("x" * 41, INK)
    assert legend_of(ids, {1: ("x" * 40, RED)}).places("x" * 40, INK)


def test_no_legend_where_nothing_is_coloured() -> None:
    base = np.full((4, 4, 3), 9, np.uint8)
    assert overlay(base, np.zeros((4, 4), np.uint8), {1: "a"}).size == (4, 4)
    assert overlay(base, np.full((4, 4), IGNORE, np.uint8), {IGNORE: "a"}).size == (4, 4)
    assert overlay(base, np.ones((4, 4), np.uint8), {1: "a"}).height > 4


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "123456", "#12345g", "", "# 12345"])
def test_a_colour_that_is_none_is_named(color: str) -> None:
    with pytest.raises(MaskError, match=f"colour as '#rrggbb', got {color!r}"):
        overlay(np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), np.uint8), {1: ("a", color)})
