"""Run lengths of COCO and of Label Studio's brush, against pycocotools and a packer that works bit by bit."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from ground_truth_labels.exports import brush
from ground_truth_labels.exports.rle import class_runs, compress
from tests.labels import independent_exports

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5), st.integers(0, 2**32)).map(
    lambda made: np.random.default_rng(made[3]).integers(0, made[2], made[:2]).astype(np.uint8)
)


def encoded(runs, shape):
    return {"size": list(shape), "counts": compress(runs.counts)}


def box(inside):
    """Left, top, width, height by looking at every pixel."""
    found = [(x, y) for y, row in enumerate(inside.tolist()) for x, value in enumerate(row) if value]
    left, top = min(x for x, _ in found), min(y for _, y in found)
    return left, top, max(x for x, _ in found) - left + 1, max(y for _, y in found) - top + 1


@settings(max_examples=200, deadline=None)
@given(mask=MASKS)
def test_every_class_is_what_pycocotools_makes_of_it(mask) -> None:
    found = list(class_runs(mask))
    assert [runs.id for runs in found] == sorted(set(mask.ravel().tolist()))
    for runs in found:
        inside = mask == runs.id
        wanted = coco.encode(np.asfortranarray(inside.astype(np.uint8)))
        assert compress(runs.counts).encode() == wanted["counts"]
        assert runs.area == sum(map(sum, inside.tolist())) == coco.area(wanted)
        assert runs.bbox == box(inside) == tuple(coco.toBbox(wanted).tolist())
        # The format's own words: in turn outside and inside, nothing empty but the first.
        assert sum(runs.counts) == mask.size and all(runs.counts[1:] > 0)
        assert independent_exports.counts_of(compress(runs.counts)) == runs.counts.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_integers_in_any_order_of_memory(dtype, order) -> None:
    mask = np.array([[1, 1, 200], [200, 1, 0]], dtype, order=order)
    for view in (mask, mask[:, ::-1], mask[::-1], mask.T, mask[:, :1]):
        for runs in class_runs(view):
            decoded = coco.decode(encoded(runs, view.shape))
            assert (decoded == (np.asarray(view) == runs.id)).all()


def test_ids_beyond_eight_bits_stay_apart() -> None:
    mask = np.array([[300, 44], [44, 300]], np.uint16)
    assert [(runs.id, runs.area) for runs in class_runs(mask)] == [(44, 2), (300, 2)]


@pytest.mark.parametrize("length", [1, 15, 16, 31, 32, 511, 512, 16_383, 16_384, 524_288, 40_000_000])
def test_lengths_at_the_borders_of_five_bits(length: int) -> None:
    """A length's last group has a sign; each is the difference to the one two before it."""
    for counts in ([0, length], [length, 1, length, 1, length + 1], [1, length, 1, 1, 1, length], [length]):
        text = compress(np.array(counts, np.int64))
        assert independent_exports.counts_of(text) == counts
        height = sum(counts)
        if height < 1_000_000:
            inside = coco.decode({"size": [height, 1], "counts": text}).ravel()
            at = 0
            for number, run in enumerate(counts):
                assert (inside[at : at + run] == number % 2).all()
                at += run


# --- the brush ---


def packed(values, sizes, word, *, seed):
    """Any stream that the format allows: repeated or not, in whichever size has room."""
    chance = random.Random(seed)
    bits = f"{len(values):032b}{word - 1:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    at = 0
    while at < len(values):
        run = 1
        while at + run < len(values) and values[at + run] == values[at]:
            run += 1
        chosen = chance.randrange(4)
        most = 1 << sizes[chosen]
        if chance.random() < 0.6:
            count, body = min(run, most), f"{values[at]:0{word}b}"
            bits += "1"
        else:
            count = min(chance.randint(1, 5), most, len(values) - at)
            body = "".join(f"{value:0{word}b}" for value in values[at : at + count])
            bits += "0"
        bits += f"{chosen:02b}{count - 1:0{sizes[chosen]}b}{body}"
        at += count
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(st.tuples(st.integers(0, 255), st.integers(1, 40)), min_size=1, max_size=12),
    sizes=st.tuples(*[st.integers(1, 16)] * 4),
    seed=st.integers(0, 2**32),
)
def test_a_stream_that_anybody_wrote_is_read(values, sizes, seed: int) -> None:
    flat = [value for value, count in values for _ in range(count)]
    data = packed(flat, sizes, 8, seed=seed)
    assert brush.decode(data).tolist() == flat == independent_exports.brush(data).tolist()


@pytest.mark.parametrize("word", [1, 3, 7, 8, 9, 16, 32])
def test_words_of_other_widths(word: int) -> None:
    top = (1 << word) - 1
    data = packed([0, top, top, 1, 0], (4, 8, 12, 16), word, seed=word)
    assert brush.decode(data).tolist() == [0, min(top, 255), min(top, 255), 1, 0]


@settings(max_examples=100, deadline=None)
@given(mask=MASKS)
def test_a_region_comes_back(mask) -> None:
    region = mask == mask[0, 0]
    data = brush.encode(region)
    wanted = np.repeat(np.where(region, 255, 0).ravel(), 4).tolist()
    assert independent_exports.brush(data).tolist() == wanted == brush.decode(data).tolist()


@pytest.mark.parametrize("pixels", [1, 4, 5, 64, 65, 1_024, 1_025, 16_384, 16_385, 32_768, 49_153])
def test_runs_at_the_borders_of_the_sizes(pixels: int) -> None:
    for region in (
        np.ones((1, pixels), bool),
        np.arange(2 * pixels).reshape(1, -1) >= pixels,
        np.concatenate((np.zeros(pixels, bool), np.ones(1, bool)))[:, None],
    ):
        data = brush.encode(region)
        assert (independent_exports.brush(data) == np.repeat(255 * region.ravel(), 4)).all()
        # A whole picture of one colour takes a few bytes.
        assert len(data) < 30 + pixels // 1_000


def test_a_stream_that_breaks_off_is_told_at_any_byte() -> None:
    data = brush.encode(np.eye(9, dtype=bool))
    assert brush.decode(data).size == 4 * 81
    for length in range(len(data) - 1):
        with pytest.raises(ValueError, match=f"a brush of {length} bytes (ends after|announces)"):
            brush.decode(data[:length])


def test_a_stream_that_announces_too_much_is_refused_before_it_is_read() -> None:
    head = f"{(1 << 30) + 1:032b}{7:05b}" + "0011" * 4
    data = int(head.ljust(56, "0"), 2).to_bytes(7, "big")
    with pytest.raises(ValueError, match="announces 1,073,741,825 values"):
        brush.decode(data)


def test_what_is_more_than_announced_is_left_out() -> None:
    """A record may repeat its value farther than the picture goes."""
    bits = f"{3:032b}{7:05b}" + "0011" * 4 + "100" + f"{15:04b}" + f"{9:08b}"
    bits += "0" * (-len(bits) % 8)
    data = bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))
    assert brush.decode(data).tolist() == [9, 9, 9]
