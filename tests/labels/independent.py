"""PNG read by its specification alone; shares no code with the package or Pillow.

`read_png` gives what a mask says to a stranger: red, green, blue and opacity of each pixel, and its palette
index where it has one. Slow and plain on purpose.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass
class Picture:
    rgba: np.ndarray  # (height, width, 4), 8 bits
    indices: np.ndarray | None


def _chunks(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        yield kind, body
        at += 12 + size


def _predict(kind, a, b, c):
    if kind == 0:
        return 0
    if kind == 1:
        return a
    if kind == 2:
        return b
    if kind == 3:
        return (a + b) >> 1
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def _plane(stream, width, height, depth, channels):
    """Samples of one pass, and how many bytes it took."""
    stride, step = (width * depth * channels + 7) // 8, max(1, depth * channels // 8)
    before, rows, at = bytes(stride), [], 0
    for _ in range(height):
        kind, row = stream[at], bytearray(stream[at + 1 : at + 1 + stride])
        if kind:
            for x in range(stride):
                a, c = (row[x - step], before[x - step]) if x >= step else (0, 0)
                row[x] = (row[x] + _predict(kind, a, before[x], c)) & 255
        before = bytes(row)
        rows.append(before)
        at += 1 + stride
    raw = np.frombuffer(b"".join(rows), np.uint8).reshape(height, stride)
    samples: np.ndarray[Any, Any]
    if depth == 16:
        pairs = raw.reshape(height, -1, 2).astype(np.uint16)
        samples = pairs[..., 0] << 8 | pairs[..., 1]
    elif depth == 8:
        samples = raw
    else:
        bits = np.unpackbits(raw, axis=1).reshape(height, -1, depth)
        samples = (bits * (1 << np.arange(depth)[::-1])).sum(-1)
    return samples[:, : width * channels].reshape(height, width, channels), at


def read_png(data):
    parts: dict[Any, Any] = {}
    for kind, body in _chunks(data):
        parts[kind] = parts.get(kind, b"") + body
    width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    stream, channels = zlib.decompress(parts[b"IDAT"]), _CHANNELS[color]
    samples = np.zeros((height, width, channels), np.int64)
    for left, top, right, down in _PASSES if interlace else ((0, 0, 1, 1),):
        w, h = -(-(width - left) // right), -(-(height - top) // down)
        if w > 0 and h > 0:
            plane, taken = _plane(stream, w, h, depth, channels)
            samples[top::down, left::right], stream = plane, stream[taken:]
    return _picture(samples, depth, color, parts.get(b"PLTE", b""), parts.get(b"tRNS"))


def _picture(samples, depth, color, palette, transparency):
    height, width, _ = samples.shape
    rgba = np.full((height, width, 4), 255, np.uint8)
    if color == 3:
        table = np.zeros((256, 4), np.uint8)
        table[:, 3] = 255
        table[: len(palette) // 3, :3] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
        if transparency:
            table[: len(transparency), 3] = list(transparency)
        return Picture(table[samples[..., 0]], samples[..., 0].astype(np.uint8))
    if transparency is not None:
        key = struct.unpack(f">{len(transparency) // 2}H", transparency)
        rgba[..., 3] = np.where((samples == np.array(key)).all(-1), 0, 255)
    top = (1 << depth) - 1
    scaled = samples * 255 // top if depth <= 8 else samples >> 8
    rgba[..., :3] = scaled[..., :3] if color in (2, 6) else scaled[..., :1]
    if color in (4, 6):
        rgba[..., 3] = scaled[..., -1]
    return Picture(rgba, None)


def classes_by_color(data, internal_color_map, alpha="visible"):
    """Class name of each pixel, as the guide says a mask is read: by the colour in the line's map."""
    picture = read_png(data)
    names = {entry["hex-color"].lower(): entry["class-name"] for entry in internal_color_map.values()}
    out = np.empty(picture.rgba.shape[:2], object)
    for (y, x), _ in np.ndenumerate(out):
        red, green, blue, opacity = (int(v) for v in picture.rgba[y, x])
        name = names.get(f"#{red:02x}{green:02x}{blue:02x}")
        clear = opacity == 0 if alpha == "visible" else opacity < 255 if alpha == "opaque" else False
        if clear or (name is None and opacity == 0):
            name = "BACKGROUND"
        out[y, x] = name
    return out


def classes_by_index(data, internal_color_map):
    """Class name of each pixel, as tools that ignore colours read a palette PNG."""
    indices = read_png(data).indices
    assert indices is not None
    names = {int(key): entry["class-name"] for key, entry in internal_color_map.items()}
    return np.vectorize(lambda i: names.get(i, "BACKGROUND"), otypes=[object])(indices)
