"""Shows 1: any label set, mask and encoding reads back to the same array."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ground_truth_labels import LabelList
from ground_truth_labels.colormap import ColorEntry, color_table
from ground_truth_labels.decode import decode_mask

CASES = 1000
ENCODINGS = ("RGB", "RGBA", "palette", "palette-wrong", "palette-repeated", "palette-transparent", "RGB-tRNS")


def _png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1, **options)
    return buffer.getvalue()


def encode(rng, mask, rgb, encoding):
    """`mask` holds positions in `rgb` (row 0: background) as a PNG of the given encoding."""
    if encoding == "RGB":
        return _png(Image.fromarray(rgb[mask]))
    if encoding == "RGBA":
        alpha = np.where(mask == 0, rng.choice([0, 255]), rng.integers(1, 256)).astype(np.uint8)
        hidden = rng.integers(0, 256, (*mask.shape, 3), dtype=np.uint8)
        pixels = np.where((alpha == 0)[..., None], hidden, rgb[mask])
        return _png(Image.fromarray(np.dstack([pixels, alpha])))
    if encoding == "RGB-tRNS":
        return _png(Image.fromarray(rgb[mask]), transparency=tuple(int(v) for v in rgb[0]))
    order = np.arange(len(rgb))
    if encoding != "palette":
        rng.shuffle(order)
    table, indices = rgb[order], np.argsort(order)[mask]
    options = {}
    if encoding == "palette-repeated":
        # The rest of the 256 entries repeat the colours, and pixels use any entry of theirs.
        repeats = rng.integers(0, len(rgb), 256 - len(rgb))
        owner = np.concatenate([order, repeats])
        table = rgb[owner]
        choices = rng.permutation(256)
        for position in range(len(rgb)):
            entries = choices[owner[choices] == position]
            here = mask == position
            indices[here] = rng.choice(entries, here.sum())
    if encoding == "palette-transparent":
        spot = int(np.argsort(order)[0])
        table[spot] = rng.integers(0, 256, 3)
        options["transparency"] = spot if rng.random() < 0.5 else bytes([255] * spot + [0])
    image = Image.fromarray(indices.astype(np.uint8))
    image.putpalette(table.astype(np.uint8).tobytes())
    return _png(image, **options)


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(1, 60),
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    background=st.sampled_from([0, 0, 5, 255]),
    smooth=st.booleans(),
)
def test_reads_back_equal(encoding, seed, classes, height, width, background, smooth) -> None:
    rng = np.random.default_rng(seed)
    packed = rng.choice(2**24, classes + 1, replace=False)
    rgb = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(np.uint8)
    names = [f"class {i}" for i in range(classes)]
    labels = LabelList(tuple(rng.permutation(names).tolist()), background=background)
    positions = rng.integers(0, classes + 1, (height, width))
    if smooth:
        positions = np.sort(positions, axis=1)
    ids = np.array([background, *(labels.ids[name] for name in names)])
    entries = tuple(
        ColorEntry(class_name=name, color=int(color), index=i)
        for i, (name, color) in enumerate(zip(["BACKGROUND", *names], packed, strict=True))
    )
    data = encode(rng, positions, rgb, encoding)
    decoded = decode_mask(data, color_table(entries, labels, "test"))
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, ids[positions])


def test_the_number_of_cases_is_what_the_issue_asks_for() -> None:
    assert CASES * len(ENCODINGS) >= 5000


def test_three_hundred_classes_need_sixteen_bits() -> None:
    names = tuple(f"c{i}" for i in range(300))
    labels = LabelList(names)
    rgb = np.array([[i >> 8, i & 255, 7] for i in range(300)], np.uint8)
    entries = tuple(
        ColorEntry(class_name=n, color=i >> 8 << 16 | (i & 255) << 8 | 7) for i, n in enumerate(names)
    )
    data = _png(Image.fromarray(rgb[np.arange(300).reshape(15, 20)]))
    decoded = decode_mask(data, color_table(entries, labels, "test"))
    assert decoded.dtype == np.uint16
    assert np.array_equal(decoded.ravel(), [labels.ids[n] for n in names])
    assert 255 not in decoded
