"""The borders of all classes of a mask, traced at once: closed rings along pixel borders.

Everything is done on whole arrays. A pixel border between two classes belongs to both, once in each
direction, so that every class lies on the right hand of its own rings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from .._lookup import look_up

_Ints = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.integer]
#: Above all that a table of bytes may hold here.
_NARROW = 255


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Straight border pieces: the vertices they lead from and to, and the class on their right hand.

    A vertex is `y * stride + x`.
    """

    start: _Ints
    stop: _Ints
    owner: _Ints


@dataclass(frozen=True, slots=True)
class Rings:
    """Closed rings of all classes.

    Attributes:
        x: Corners of all rings, one ring after the other; a ring begins with a horizontal piece.
        y: As `x`.
        first: Where each ring begins in `x` and `y`, and, as one more entry, where the last one ends.
        owner: Class of each ring.
        area: Pixels inside each ring, negative for the ring around a hole.
    """

    x: _Ints
    y: _Ints
    first: _Ints
    owner: _Ints
    area: _Ints


def trace(mask: _Mask, wanted: npt.NDArray[np.bool_]) -> Rings:
    """The rings around the 4-connected parts of each class, clockwise, and around their holes, the other way.

    Args:
        mask: Class ids, shape (height, width).
        wanted: For each id whether its rings are wanted; ids beyond its end are not.
    """
    height, width = mask.shape
    stride = width + 1
    owners = _owners(mask, wanted)
    right, left = _pieces(owners, stride, upright=False)
    # Seen from the side, what was below is to the east, and the sense of turning is the other.
    up, down = _pieces(owners.T, stride, upright=True)
    flat, tall = _both(right, left), _both(up, down)
    # A ring goes from flat pieces to tall ones and back, so the ends of the flat ones are all corners.
    corner = _Corners(np.concatenate((flat.start, flat.stop)), stride * (height + 1))
    upwards, downwards = corner.starts(up), corner.starts(down)
    flat_stop, tall_stop = corner.of(flat.stop), corner.of(tall.stop)
    (to_right, to_left), (to_up, to_down) = (
        (stop[: a.start.size], stop[a.start.size :]) for stop, a in ((flat_stop, right), (tall_stop, up))
    )
    # Where two parts of a class touch at a corner, turning right keeps them apart.
    after_flat = np.concatenate(
        (_turn(right, to_right, down, downwards, upwards, shifts=(up.start.size, 0)),
         _turn(left, to_left, up, upwards, downwards, shifts=(0, up.start.size)))
    )  # fmt: skip
    rightwards, leftwards = corner.starts(right), corner.starts(left)
    after_tall = np.concatenate(
        (_turn(up, to_up, right, rightwards, leftwards, shifts=(0, right.start.size)),
         _turn(down, to_down, left, leftwards, rightwards, shifts=(right.start.size, 0)))
    )  # fmt: skip
    order, first = _cycles(after_tall[after_flat])
    corners = np.stack((flat.start[order], tall.start[after_flat[order]]), 1).ravel()
    y, x = np.divmod(corners, stride)
    return _rings(x, y, 2 * first, flat.owner[order])


def _owners(mask: _Mask, wanted: npt.NDArray[np.bool_]) -> _Mask:
    """Each pixel's class plus one, and 0 for those of classes that are not wanted."""
    table = np.zeros(int(mask.max(initial=0)) + 1, np.int64)
    known = np.flatnonzero(wanted[: table.size])
    table[known] = known + 1
    if mask.dtype != np.uint8 or table.max() > _NARROW:
        return cast(_Mask, table.astype(np.int32).take(mask))
    owners = np.array(mask, np.uint8, order="C")
    look_up(owners.ravel(), table.astype(np.uint8).tobytes().ljust(256, b"\0"), _NARROW)
    return owners


def _pieces(owners: _Mask, stride: int, *, upright: bool) -> tuple[_Pieces, _Pieces]:
    """The pieces along the lines between rows: of the classes after a line, and of those before it."""
    rows, length = owners.shape
    # Around the picture is nobody.
    padded = np.zeros((rows + 2, length), owners.dtype)
    padded[1:-1] = owners
    border = np.flatnonzero(padded[1:] != padded[:-1])
    flat = padded.ravel()
    after, before = flat[border + length].astype(np.int64), flat[border].astype(np.int64)
    step, along = (1, stride) if upright else (stride, 1)
    found = []
    for owner, backwards in ((after, upright), (before, not upright)):
        mine = np.flatnonzero(owner)
        place, own = border[mine], owner[mine]
        line, at = np.divmod(place, length)
        joined = (place[1:] == place[:-1] + 1) & (own[1:] == own[:-1]) & (at[1:] != 0)
        begin = np.flatnonzero(np.concatenate((np.ones(min(1, place.size), bool), ~joined)))
        end = np.append(begin[1:], place.size) - 1
        one = line[begin] * step + at[begin] * along
        other = line[begin] * step + (at[end[: begin.size]] + 1) * along
        found.append(
            _Pieces(other, one, own[begin] - 1) if backwards else _Pieces(one, other, own[begin] - 1)
        )
    return found[0], found[1]


def _both(a: _Pieces, b: _Pieces) -> _Pieces:
    return _Pieces(
        np.concatenate((a.start, b.start)),
        np.concatenate((a.stop, b.stop)),
        np.concatenate((a.owner, b.owner)),
    )


class _Corners:
    """Numbers for the vertices at which pieces meet, so that a table of them is short."""

    def __init__(self, vertices: _Ints, size: int) -> None:
        # Only what was written is ever read: filling millions of entries would take longer than all the rest.
        self._numbers = np.empty(size, np.int32)
        self._numbers[vertices] = np.arange(vertices.size, dtype=np.int32)
        self._size = vertices.size

    def of(self, vertices: _Ints) -> npt.NDArray[np.int32]:
        """The number of each vertex; two pieces that meet have the same."""
        return self._numbers[vertices]

    def starts(self, pieces: _Pieces) -> npt.NDArray[np.int32]:
        """Number of a vertex → the piece that starts there, or -1; there is at most one of a direction."""
        table = np.full(self._size, -1, np.int32)
        table[self.of(pieces.start)] = np.arange(pieces.start.size, dtype=np.int32)
        return table


def _turn(
    here: _Pieces,
    stop: npt.NDArray[np.int32],
    best: _Pieces,
    best_at: npt.NDArray[np.int32],
    other_at: npt.NDArray[np.int32],
    *,
    shifts: tuple[int, int],
) -> _Ints:
    """For each piece the next one of its class: to the right if there is one, else to the left."""
    right = best_at[stop]
    fits = (right >= 0) & (best.owner[right] == here.owner) if best.owner.size else right >= 0
    chosen: _Ints = np.where(fits, right + shifts[0], other_at[stop] + shifts[1]).astype(np.int64)
    return chosen


def _cycles(successor: _Ints) -> tuple[_Ints, _Ints]:
    """The elements of a permutation cycle by cycle, and where each cycle begins (and the last one ends).

    By pointer doubling: as many rounds as the longest cycle's length has bits, each over whole arrays.
    """
    size = successor.size
    leader, jump = np.arange(size), successor
    while True:
        lower = np.minimum(leader, leader[jump])
        if np.array_equal(lower, leader):
            break
        leader, jump = lower, jump[jump]
    # Steps that are left to the last element, the one whose successor leads the cycle.
    last = successor == leader
    following = np.where(last, np.arange(size), successor)
    steps = (~last).astype(np.int64)
    while True:
        farther = steps[following]
        if not farther.any():
            break
        steps += farther
        following = following[following]
    heads = np.flatnonzero(leader == np.arange(size))
    lengths = steps[heads] + 1
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    begins = np.empty(size, np.int64)
    begins[heads] = first[:-1] + lengths - 1
    order = np.empty(size, np.int64)
    order[begins[leader] - steps] = np.arange(size)
    return order, first


def _rings(x: _Ints, y: _Ints, first: _Ints, owner: _Ints) -> Rings:
    if not x.size:
        return Rings(x, y, first, np.zeros(0, np.int64), np.zeros(0, np.int64))
    # Only horizontal pieces are counted, as they alone sweep an area: corner 2k to 2k + 1.
    width = x[1::2] - x[0::2]
    area = -np.add.reduceat(width * y[0::2], first[:-1] // 2)
    return Rings(x, y, first, owner[first[:-1] // 2], area)
