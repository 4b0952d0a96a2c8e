"""Exact pixel outlines of a region as COCO polygons.

The outlines run along pixel borders, so drawing them gives the mask back pixel by pixel. COCO fills the union
of an annotation's polygons and knows no holes: a hole is joined to its outer ring by a cut of no width.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Point = tuple[int, int]
_Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class _Ring:
    points: list[Point]
    holes: list[tuple[Point, _Ring]] = field(default_factory=list)


def polygons(region: npt.NDArray[np.bool_]) -> list[list[float]]:
    """Outlines of a region of shape (height, width): one `[x0, y0, x1, y1, …]` for each 4-connected part.

    Coordinates are pixel borders: the pixel in column 3 spans x from 3 to 4.
    """
    rings = [_Ring(points) for points in _trace(region)]
    outers = [ring for ring in rings if _area(ring.points) > 0]
    holes = [ring for ring in rings if _area(ring.points) < 0]
    if holes:
        _attach(holes, rings)
    return [[float(value) for point in _flatten(ring) for value in point] for ring in outers]


def _trace(region: npt.NDArray[np.bool_]) -> list[list[Point]]:
    """Closed rings with the region on the right hand: clockwise around it, the other way around holes."""
    height, width = region.shape
    padded = np.zeros((height + 2, width + 2), np.int8)
    padded[1:-1, 1:-1] = region
    stride = width + 2
    # Along the top the ring goes right (+1), along the bottom left (-1); up the left side, down the right.
    h_from, h_to, h_sign = _edges(np.diff(padded, axis=0)[:, 1:-1], stride, 1, 1)
    v_from, v_to, v_sign = _edges(np.diff(padded, axis=1)[1:-1].T, stride, stride, -1)
    # Turning right where two regions touch at a corner keeps them apart.
    after_h = _follow(h_to, np.where(h_sign > 0, -1, 1), v_from, v_sign)
    after_v = _follow(v_to, np.where(v_sign > 0, 1, -1), h_from, h_sign)
    return _walk(h_from.tolist(), v_from.tolist(), after_h.tolist(), after_v.tolist(), stride)


def _edges(step: npt.NDArray[np.int8], stride: int, along: int, forward: int) -> tuple[_Ints, _Ints, _Ints]:
    """Maximal straight border pieces: vertex numbers (y * stride + x) of both ends, and the step's sign."""
    lines, length = step.shape
    across = stride if along == 1 else 1
    wide = np.zeros((lines, length + 2), np.int8)
    wide[:, 1:-1] = step
    change = wide[:, 1:] != wide[:, :-1]
    row, start = np.nonzero(change & (wide[:, 1:] != 0))
    _, stop = np.nonzero(change & (wide[:, :-1] != 0))
    sign = wide[row, start + 1].astype(np.int64)
    first, last = row * across + start * along, row * across + stop * along
    ahead = sign == forward
    return np.where(ahead, first, last), np.where(ahead, last, first), sign


def _follow(ends: _Ints, wanted: _Ints, starts: _Ints, signs: _Ints) -> _Ints:
    """For each end, the piece that starts there; of two, the one with the wanted sign."""
    keys = starts * 2 + (signs > 0)
    order = np.argsort(keys)
    ordered = keys[order]
    best = ends * 2 + (wanted > 0)
    at = np.searchsorted(ordered, best).clip(max=ordered.size - 1)
    other = best ^ 1
    fallback = np.searchsorted(ordered, other).clip(max=ordered.size - 1)
    chosen: _Ints = order[np.where(ordered[at] == best, at, fallback)]
    return chosen


def _walk(
    h_from: list[int], v_from: list[int], after_h: list[int], after_v: list[int], stride: int
) -> list[list[Point]]:
    rings, done = [], bytearray(len(h_from))
    for begin in range(len(h_from)):
        if done[begin]:
            continue
        ring, piece = [], begin
        while not done[piece]:
            done[piece] = 1
            upright = after_h[piece]
            for vertex in (h_from[piece], v_from[upright]):
                ring.append((vertex % stride, vertex // stride))
            piece = after_v[upright]
        rings.append(ring)
    return rings


def _area(ring: list[Point]) -> int:
    """Twice the signed area; positive when the region is inside."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))


def _attach(holes: list[_Ring], rings: list[_Ring]) -> None:
    """Hang each hole on the ring that lies to its left, at the same height."""
    walls: dict[int, list[tuple[int, _Ring, int]]] = {}
    heights = sorted({min(hole.points)[1] for hole in holes})
    for ring in rings:
        points = ring.points
        for i, (a, b) in enumerate(zip(points, [*points[1:], points[0]], strict=True)):
            if a[0] != b[0]:
                continue
            low, high = sorted((a[1], b[1]))
            for k in range(bisect.bisect_left(heights, low), bisect.bisect_right(heights, high)):
                walls.setdefault(heights[k], []).append((a[0], ring, i))
    for hole in holes:
        left, top = min(hole.points)
        # The leftmost, topmost corner of the hole opens to the right and down: look just below it.
        candidates = [w for w in walls[top] if w[0] < left and _spans(w[1].points, w[2], top)]
        x, ring, _ = max(candidates, key=lambda wall: wall[0])
        ring.holes.append(((x, top), hole))


def _spans(points: list[Point], i: int, row: int) -> bool:
    a, b = points[i][1], points[(i + 1) % len(points)][1]
    return min(a, b) <= row < max(a, b)


def _flatten(ring: _Ring) -> list[Point]:
    """The ring, with a way to each of its holes, around it, and back."""
    if not ring.holes:
        return ring.points
    path: list[Point] = []
    points = ring.points
    for a, b in zip(points, [*points[1:], points[0]], strict=True):
        path.append(a)
        if a[0] != b[0]:
            continue
        low, high = sorted((a[1], b[1]))
        here = [(p, h) for p, h in ring.holes if p[0] == a[0] and low <= p[1] < high]
        for bridge, hole in sorted(here, key=lambda e: e[0][1], reverse=a[1] > b[1]):
            path += [bridge, *_from_leftmost(hole), bridge]
    return path


def _from_leftmost(hole: _Ring) -> list[Point]:
    """The hole's path, holes hung on it included, from its leftmost corner around to it again."""
    path = _flatten(hole)
    at = path.index(min(hole.points))
    return [*path[at:], *path[: at + 1]]
