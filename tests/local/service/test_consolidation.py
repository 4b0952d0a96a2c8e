"""The vote on pixels, and the files of masks."""

from __future__ import annotations

import base64
import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from ground_truth_local.service import palette
from ground_truth_local.service.consolidation import consolidate
from ground_truth_local.service.errors import TaskError
from ground_truth_local.service.masks import decode_answer, encode_answer, encode_mask

LABELS = ["road", "sky", "tree"]
shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
mask_arrays = shapes.flatmap(lambda shape: npst.arrays(np.uint8, shape, elements=st.integers(0, 3)))
ballots = st.tuples(shapes, st.integers(1, 9)).flatmap(
    lambda drawn: st.lists(
        npst.arrays(np.uint8, drawn[0], elements=st.integers(0, 3)), min_size=drawn[1], max_size=drawn[1]
    )
)


@given(mask_arrays)
def test_one_worker_is_taken_at_their_word(mask) -> None:
    result = consolidate([mask])
    assert (result.mask == mask).all()
    assert result.confidence == 0.0


@given(mask_arrays, st.integers(2, 9))
def test_workers_who_agree_are_never_overruled(mask, workers) -> None:
    result = consolidate([mask] * workers)
    assert (result.mask == mask).all()
    assert result.confidence == 1.0


@given(ballots)
@settings(max_examples=200)
def test_the_vote_keeps_to_what_was_voted(masks) -> None:
    result = consolidate(masks)
    stacked = np.stack(masks)
    unanimous = (stacked == stacked[0]).all(axis=0)
    assert (result.mask[unanimous] == stacked[0][unanimous]).all()
    assert 0.0 <= result.confidence <= 1.0
    # A class wins a pixel only where somebody near it voted for that class.
    padded = np.pad(stacked, ((0, 0), (1, 1), (1, 1)), constant_values=255)
    for (row, column), winner in np.ndenumerate(result.mask):
        assert (padded[:, row : row + 3, column : column + 3] == winner).any()


@given(ballots, st.randoms())
def test_the_order_of_the_workers_does_not_matter(masks, random) -> None:
    shuffled = list(masks)
    random.shuffle(shuffled)
    first, second = consolidate(masks), consolidate(shuffled)
    assert (first.mask == second.mask).all()
    assert first.confidence == second.confidence


def test_a_lone_dissenting_pixel_gives_way_to_its_neighbourhood() -> None:
    smooth = np.ones((5, 5), dtype=np.uint8)
    speck = smooth.copy()
    speck[2, 2] = 2
    assert consolidate([speck, speck, smooth]).mask[2, 2] == 1


def test_a_tie_goes_to_the_lower_class() -> None:
    a, b = np.full((4, 4), 2, dtype=np.uint8), np.full((4, 4), 1, dtype=np.uint8)
    assert (consolidate([a, b]).mask == 1).all()
    assert consolidate([a, b]).confidence == 0.5


def test_no_seam_shows_between_bands() -> None:
    generator = np.random.default_rng(3)
    masks = [generator.integers(0, 4, (1_030, 3), dtype=np.uint8) for _ in range(3)]
    whole = consolidate(masks).mask
    part = consolidate([mask[500:530] for mask in masks]).mask
    assert (whole[501:529] == part[1:-1]).all()


def test_two_megapixels_of_twenty_classes_take_less_than_two_seconds() -> None:
    generator = np.random.default_rng(0)
    masks = [
        np.kron(generator.integers(0, 21, (100, 200)), np.ones((10, 10))).astype(np.uint8) for _ in range(3)
    ]
    started = time.thread_time()
    consolidate(masks)
    assert time.thread_time() - started < 2.0


@given(mask_arrays)
def test_an_answer_comes_back_as_painted(mask) -> None:
    height, width = mask.shape
    answer = encode_answer(mask, LABELS)
    assert (decode_answer(answer, labels=LABELS, width=width, height=height) == mask).all()


@given(mask_arrays)
def test_the_masks_colours_are_the_colour_maps(mask) -> None:
    image = Image.open(io.BytesIO(encode_mask(mask, len(LABELS))))
    colors = [palette.BACKGROUND_COLOR, *palette.colors(len(LABELS))]
    expected = np.array([palette.to_rgb(color) for color in colors], dtype=np.uint8)[mask]
    assert (np.asarray(image.convert("RGB")) == expected).all()
    assert image.mode == "P" and (np.asarray(image) == mask).all()


def test_more_labels_than_a_palette_holds() -> None:
    mask = np.arange(300, dtype=np.uint16).reshape(1, 300)
    labels = [f"l{number}" for number in range(299)]
    answer = encode_answer(mask, labels)
    assert (decode_answer(answer, labels=labels, width=300, height=1) == mask).all()
    assert Image.open(io.BytesIO(encode_mask(mask, 299))).mode == "RGB"


def test_the_palette_is_the_services_and_never_repeats() -> None:
    assert palette.colors(3) == ["#2ca02c", "#1f77b4", "#ff7f0e"]
    many = palette.colors(400)
    assert len(set(many)) == 400 and "#ffffff" not in many
    assert many[:50] == palette.colors(50)


def png(pixels, mode="RGBA"):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8), mode if mode == "L" else None).save(
        buffer, format="PNG"
    )
    return base64.b64encode(buffer.getvalue()).decode()


def answer(**changes):
    base = {
        "inputImageProperties": {"height": 1, "width": 2},
        "labelMappings": {"road": {"color": "#2ca02c"}},
        "labeledImage": {"pngImageData": png([[[0x2C, 0xA0, 0x2C, 255], [0, 0, 0, 0]]])},
    }
    return base | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    {
        "no mappings": ({"labelMappings": None}, "no labelMappings"),
        "unknown label": ({"labelMappings": {"sea": {"color": "#2ca02c"}}}, '"sea", which is not one of'),
        "bad colour": ({"labelMappings": {"road": {"color": "green"}}}, "must be '#rrggbb', got \"green\""),
        "same colour": (
            {"labelMappings": {"road": {"color": "#2ca02c"}, "sky": {"color": "#2CA02C"}}},
            "is used twice",
        ),
        "white": ({"labelMappings": {"road": {"color": "#ffffff"}}}, "or is the background's"),
        "no image": ({"labeledImage": {}}, "no labeledImage.pngImageData"),
        "not base64": ({"labeledImage": {"pngImageData": "%%%"}}, "not base64"),
        "not a PNG": (
            {"labeledImage": {"pngImageData": base64.b64encode(b"GIF89a").decode()}},
            "not a readable PNG",
        ),
        "other size": ({"labeledImage": {"pngImageData": png(np.zeros((2, 2, 4)))}}, "the mask is 2 x 2"),
        "stray colour": (
            {"labeledImage": {"pngImageData": png([[[0x2C, 0xA0, 0x2C, 255], [1, 2, 3, 255]]])}},
            "pixel x=1, y=0 has the color #010203",
        ),
        "truncated": ({"labeledImage": {"pngImageData": png([[[0, 0, 0, 0]] * 2])[:40]}}, "not"),
    }.values(),
)
def test_a_bad_answer_is_refused_by_name(changes, message) -> None:
    with pytest.raises(TaskError) as caught:
        decode_answer(answer(**changes), labels=LABELS, width=2, height=1)
    assert message in str(caught.value)


def test_white_and_transparent_are_background() -> None:
    white = answer(labeledImage={"pngImageData": png([[[255, 255, 255, 255], [9, 9, 9, 0]]])})
    assert (decode_answer(white, labels=LABELS, width=2, height=1) == 0).all()
