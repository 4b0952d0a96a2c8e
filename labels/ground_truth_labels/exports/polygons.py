"""Outlines of classes as polygons that give the mask back.

A format that knows no holes gets a hole joined to its outer ring by a cut of no width. Two sorts of polygon,
because two sorts of program fill them: along pixel borders (pycocotools fills what lies inside), or through
the centres of the outermost pixels (OpenCV's `fillPoly` fills what lies inside and on the line).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .outlines import Rings, trace

_Ints = npt.NDArray[np.int64]
Polygon = list[int]
"""`[x0, y0, x1, y1, …]`."""


def polygons(region: npt.NDArray[np.bool_], *, centres: bool = False) -> list[Polygon]:
    """The polygons of a region of shape (height, width), one for each 4-connected part."""
    return class_polygons(region.astype(np.uint8), (1,), centres=centres).get(1, [])


def class_polygons(
    mask: npt.NDArray[np.integer], ids: Iterable[int], *, centres: bool = False
) -> dict[int, list[Polygon]]:
    """Class id → its polygons, one for each 4-connected part; absent ids are left out.

    Args:
        mask: Class ids, shape (height, width).
        ids: Which of them to outline.
        centres: Through the centres of the outermost pixels; `(3, 2)` is the pixel in column 3 of row 2.
            Default: along pixel borders; the pixel in column 3 spans x from 3 to 4.
    """
    chosen = np.zeros(65_536, bool)
    chosen[list(ids)] = True
    rings = trace(mask, chosen)
    walls = _hang_holes(mask, rings) if (rings.area < 0).any() else {}
    found: dict[int, list[Polygon]] = defaultdict(list)
    shape = _Paths(rings, walls, centres)
    for ring in np.flatnonzero(rings.area > 0).tolist():
        found[int(rings.owner[ring])].append(shape.polygon(ring))
    return dict(sorted(found.items()))


#: Ring → corner of it, counted in the ring → (row of the cut, ring of the hole) for the piece from there on.
_Walls = dict[int, dict[int, list[tuple[int, int]]]]


def _hang_holes(mask: npt.NDArray[np.integer], rings: Rings) -> _Walls:
    """Hang each hole on the ring that lies to its left, at the height of its leftmost, topmost corner."""
    holes = np.flatnonzero(rings.area < 0)
    corner = np.array([_leftmost(rings, ring) for ring in holes.tolist()])
    left, top = rings.x[corner], rings.y[corner]
    # These are the pieces with their class to the east, in the order of columns, then rows: they don't
    # overlap.
    begins = np.arange(1, rings.x.size, 2)
    ends = begins + 1
    last = np.isin(ends, rings.first[1:])
    owner_ring = np.searchsorted(rings.first, begins, side="right") - 1
    ends[last] = rings.first[owner_ring[last]]
    upwards = rings.y[ends] < rings.y[begins]
    piece, upper = begins[upwards], rings.y[ends[upwards]]
    height = mask.shape[0] + 1
    keys = rings.x[piece] * height + upper
    order = np.argsort(keys)
    at = np.searchsorted(keys[order], _walls_left(mask, left, top) * height + top, side="right") - 1
    hits = piece[order[at]]
    hosts = np.searchsorted(rings.first, hits, side="right") - 1
    walls: _Walls = {}
    for hole, row, hit, host in zip(holes.tolist(), top.tolist(), hits.tolist(), hosts.tolist(), strict=True):
        on_ring = walls.setdefault(host, {})
        on_ring.setdefault(hit - int(rings.first[host]), []).append((row, hole))
    return walls


def _leftmost(rings: Rings, ring: int) -> int:
    """The corner of a ring that is leftmost, of these topmost."""
    begin, end = int(rings.first[ring]), int(rings.first[ring + 1])
    x, y = rings.x[begin:end], rings.y[begin:end]
    edge = np.flatnonzero(x == x.min())
    return begin + int(edge[y[edge].argmin()])


def _walls_left(mask: npt.NDArray[np.integer], left: _Ints, top: _Ints) -> _Ints:
    """The column in which the run of equal pixels begins that ends left of each hole."""
    rows, inverse = np.unique(top, return_inverse=True)
    lines = mask[rows]
    starts = np.flatnonzero(np.concatenate((np.ones((rows.size, 1), bool), lines[:, 1:] != lines[:, :-1]), 1))
    width = mask.shape[1]
    at = np.searchsorted(starts, inverse * width + left - 1, side="right") - 1
    walls: _Ints = starts[at] % width
    return walls


class _Paths:
    """From rings to what is written: each with its holes in it."""

    def __init__(self, rings: Rings, walls: _Walls, centres: bool) -> None:
        self._rings, self._walls, self._centres = rings, walls, centres
        self._done: dict[int, _Ints] = {}
        holes = [hole for on_ring in walls.values() for found in on_ring.values() for _, hole in found]
        lefts = {hole: int(rings.x[_leftmost(rings, hole)]) for hole in holes}
        # What hangs on a hole begins to the right of that hole, so from right to left each is ready in time.
        for hole in sorted(holes, key=lambda ring: -lefts[ring]):
            self._done[hole] = self._hole(hole)

    def polygon(self, ring: int) -> Polygon:
        """A ring with its holes."""
        path = self._with_holes(ring, 0)
        flat: Polygon = path.ravel().tolist()
        return flat

    def _hole(self, ring: int) -> _Ints:
        """Around a hole from its leftmost, topmost corner to the same again."""
        path = self._with_holes(ring, _leftmost(self._rings, ring) - int(self._rings.first[ring]))
        return np.concatenate((path, path[:1]))

    def _with_holes(self, ring: int, start: int) -> _Ints:
        """The path of a ring from one of its corners on, with a cut to each of its holes."""
        begin, end = int(self._rings.first[ring]), int(self._rings.first[ring + 1])
        corners = np.stack((self._rings.x[begin:end], self._rings.y[begin:end]), 1)
        path, each = (_through_centres(corners), 2) if self._centres else (corners, 1)
        on_ring = self._walls.get(ring)
        if on_ring is None:
            return _tidy(np.roll(path, -each * start, 0)) if self._centres else np.roll(path, -start, 0)
        parts, done = [], 0
        size = corners.shape[0]
        for place, corner in sorted(((corner - start) % size, corner) for corner in on_ring):
            until = each * place + 1
            rolled = (np.arange(done, until) + each * start) % path.shape[0]
            parts.append(path[rolled])
            done = until
            # The piece leads upwards, so the lowest cut comes first.
            for row, hole in sorted(on_ring[corner], reverse=True):
                bridge = np.array([[corners[corner, 0], row]])
                parts += [bridge, self._done[hole], bridge]
        parts.append(path[(np.arange(done, path.shape[0]) + each * start) % path.shape[0]])
        whole = np.concatenate(parts)
        return _tidy(whole) if self._centres else whole


def _through_centres(corners: _Ints) -> _Ints:
    """The first and the last pixel along each piece of a ring, on its right hand."""
    ahead = np.roll(corners, -1, 0)
    step = np.sign(ahead - corners)
    # To the right of a step (dx, dy) is (-dy, dx); a pixel's number is that of its upper left corner.
    side = np.stack((-step[:, 1], step[:, 0]), 1)
    first = corners + (step + side - 1) // 2
    last = ahead + (side - step - 1) // 2
    return np.stack((first, last), 1).reshape(-1, 2)


def _tidy(path: _Ints) -> _Ints:
    """Without points that repeat the one before."""
    again = (path[1:] == path[:-1]).all(1)
    tidy: _Ints = path[np.concatenate((np.ones(1, bool), ~again))]
    return tidy
