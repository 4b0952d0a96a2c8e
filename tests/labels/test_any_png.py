"""Masks in every form that PNG has, written here chunk by chunk, and decoded by rules written down again."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels import LimitError, MaskError, UnknownColorError
from ground_truth_labels.colormap import ColorTable
from ground_truth_labels.decode import decode, decode_mask
from tests.labels.independent import read_png

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Colour type and bits of a sample that a mask may have.
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (2, 8), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (6, 8)]


@dataclass
class Written:
    """A picture's samples, (height, width, channels), and how its file is made of them."""

    samples: np.ndarray
    kind: int
    depth: int
    palette: list[tuple[int, int, int]] = field(default_factory=list)
    clear: list[int] = field(default_factory=list)
    filters: int = 0
    interlaced: bool = False

    def png(self) -> bytes:
        height, width, _ = self.samples.shape
        head = struct.pack(">IIBBBBB", width, height, self.depth, self.kind, 0, 0, int(self.interlaced))
        parts = [(b"IHDR", head), (b"tEXt", b"Comment\0between")]
        if self.palette:
            parts.append((b"PLTE", bytes(value for color in self.palette for value in color)))
        if self.clear:
            wide = self.kind != 3
            parts.append((b"tRNS", struct.pack(f">{len(self.clear)}{'H' if wide else 'B'}", *self.clear)))
        stream = zlib.compress(b"".join(self._rows()))
        # A file may have as many pieces of its stream as it likes.
        cut = len(stream) // 2
        parts += [(b"IDAT", stream[:cut]), (b"IDAT", stream[cut:]), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in parts
        )

    def _rows(self):
        for left, top, right, down in PASSES if self.interlaced else ((0, 0, 1, 1),):
            part = self.samples[top::down, left::right]
            before = b""
            if part.size:
                for number, row in enumerate(part):
                    packed = self._packed(row.ravel().tolist())
                    before = before or bytes(len(packed))
                    chosen = (self.filters + number) % 5
                    yield bytes([chosen]) + self._filtered(chosen, packed, before)
                    before = packed

    def _packed(self, values) -> bytes:
        bits = "".join(f"{value:0{self.depth}b}" for value in values)
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")

    def _filtered(self, chosen: int, row: bytes, above: bytes) -> bytes:
        step = max(1, self.depth * CHANNELS[self.kind] // 8)
        out = bytearray()
        for place, value in enumerate(row):
            a, c = (row[place - step], above[place - step]) if place >= step else (0, 0)
            b = above[place]
            nearest = min((a, b, c), key=lambda each: abs(a + b - c - each))
            out.append((value - (0, a, b, (a + b) // 2, nearest)[chosen]) % 256)
        return bytes(out)


@st.composite
def pictures(draw):
    kind, depth = draw(st.sampled_from(KINDS))
    height, width = draw(st.integers(1, 10)), draw(st.integers(1, 20))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    palette: list[tuple[int, int, int]] = []
    if kind == 3:
        size = draw(st.integers(1, min(1 << depth, 12)))
        palette = [tuple(chance.choice([0, 80, 255], 3).tolist()) for _ in range(size)]
        samples = chance.integers(0, size, (height, width, 1))
        clear = [draw(st.sampled_from([0, 7, 255])) for _ in range(draw(st.integers(0, size)))]
    else:
        top = (1 << depth) - 1
        samples = chance.choice(sorted({0, top // 3, top}), (height, width, CHANNELS[kind]))
        if kind in (4, 6):
            samples[..., -1] = chance.choice([0, 7, 255], (height, width))
        clear = [int(chance.choice([0, top])) for _ in range(CHANNELS[kind])] if draw(st.booleans()) else []
        clear = clear if kind in (0, 2) else []
    if draw(st.booleans()):
        # Long runs of one colour are what masks are made of.
        samples = samples[:, np.sort(chance.integers(0, width, width))]
    return Written(
        samples, kind, depth, palette, clear, filters=draw(st.integers(0, 4)), interlaced=draw(st.booleans())
    )


def meaning(rgba, table, alpha, unknown):
    """Each pixel's id by the documented rules: by colour, background where it doesn't count."""
    ids = dict(table.ids)
    out, strange = np.zeros(rgba.shape[:2], np.int64), set()
    for (y, x), _ in np.ndenumerate(out):
        red, green, blue, opacity = (int(value) for value in rgba[y, x])
        color = red << 16 | green << 8 | blue
        counts = {"visible": opacity > 0, "opaque": opacity == 255, "color": color in ids or opacity > 0}[
            alpha
        ]
        if not counts:
            out[y, x] = table.background
        elif color in ids:
            out[y, x] = ids[color]
        else:
            strange.add(color)
            out[y, x] = 255 if unknown == "ignore" else table.background
    return out, strange


@settings(max_examples=400, deadline=None)
@given(
    picture=pictures(),
    alpha=st.sampled_from(["visible", "opaque", "color"]),
    unknown=st.sampled_from(["error", "ignore", "background"]),
    known=st.integers(0, 8),
    first=st.sampled_from([0, 1, 200, 300]),
)
def test_every_form_of_a_mask_has_the_ids_of_its_colours(
    picture, alpha, unknown, known: int, first: int
) -> None:
    data = picture.png()
    rgba = read_png(data).rgba
    colors = sorted({int(r) << 16 | int(g) << 8 | int(b) for r, g, b, _ in rgba.reshape(-1, 4).tolist()})
    wide = first == 300
    table = ColorTable(tuple((color, first + n) for n, color in enumerate(colors[:known])), 4, wide)
    wanted, strange = meaning(rgba, table, alpha, unknown)
    if unknown == "error" and strange:
        with pytest.raises(UnknownColorError) as told:
            decode_mask(data, table, unknown=unknown, alpha=alpha, name="this mask")
        assert "this mask" in str(told.value) and any(f"#{color:06x}" in str(told.value) for color in strange)
        return
    ids = decode_mask(data, table, unknown=unknown, alpha=alpha)
    assert ids.dtype == (np.uint16 if wide else np.uint8) and (ids == wanted).all()
    # With the picture kept for a check there is the same to read, and what transparency has decided.
    kept = decode(data, table, unknown=unknown, alpha=alpha)
    assert (kept.ids == wanted).all()
    for found, inside in ((kept.partly, lambda a: 0 < a < 255), (kept.hidden, lambda a: a == 0)):
        counted: dict[int, int] = {}
        for red, green, blue, opacity in rgba.reshape(-1, 4).tolist():
            if inside(opacity):
                color = red << 16 | green << 8 | blue
                counted[color] = counted.get(color, 0) + 1
        assert found == counted


@pytest.mark.parametrize("kind", [0, 4])
def test_greys_of_sixteen_bits_are_no_masks(kind: int) -> None:
    data = Written(np.zeros((2, 2, CHANNELS[kind]), np.int64), kind, 16).png()
    with pytest.raises(MaskError, match="grey PNG of 16 bits"):
        decode_mask(data, ColorTable(((0, 1),), 0))


@settings(max_examples=60, deadline=None)
@given(picture=pictures(), data=st.data())
def test_a_file_that_breaks_off_or_is_changed_is_never_read_as_another(picture, data) -> None:
    """Every chunk of a PNG has a checksum; what isn't the file itself is told, or reads the same."""
    whole = picture.png()
    table = ColorTable((), 4)
    wanted = decode_mask(whole, table, unknown="ignore")
    at = data.draw(st.integers(0, len(whole) - 13))
    for spoiled in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
        try:
            found = decode_mask(spoiled, table, unknown="ignore")
        except (LimitError, MaskError):
            continue
        assert (found == wanted).all()
