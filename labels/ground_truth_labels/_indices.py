"""Where each palette index of a mask belongs, so that a reader by index finds what its colour says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from PIL import Image

from ._palette import id_of_color, palette_entries
from .classes import BACKGROUND
from .colormap import ColorEntry, ColorTable
from .decode import Alpha
from .errors import RepairError

_UNKNOWN = -1


@dataclass(frozen=True)
class IndexPlan:
    """Old index → new index for all that have pixels, and the palette that goes with the new ones.

    Attributes:
        moves: Old index → new index; equal where nothing is wrong.
        palette: New index → (`0xRRGGBB`, opacity 0-255).
    """

    moves: dict[int, int]
    palette: dict[int, tuple[int, int]]

    @property
    def wrong(self) -> bool:
        """Whether a reader by index would take a pixel for another class than its colour says."""
        return any(old != new for old, new in self.moves.items())


def plan_indices(
    image: Image.Image, colors: tuple[ColorEntry, ...], *, alpha: Alpha, where: str
) -> IndexPlan | None:
    """The plan for a mask; None for one without a palette, whose pixels have no indices.

    Pixels without a class (transparent, or of a colour that the map doesn't have) keep their index unless
    the map gives it to a class: the background goes to the map's own, and without one to a free index.

    Raises:
        RepairError: The map's keys can't be indices of a palette, or it has no room left.
    """
    if image.mode != "P":
        return None
    keys = _keys(colors, where)
    of_class = {entry.index: entry.class_name for entry in colors if entry.index is not None}
    names = tuple(dict.fromkeys(entry.class_name for entry in colors if entry.class_name != BACKGROUND))
    numbers = {BACKGROUND: 0, **{name: i for i, name in enumerate(names, 1)}}
    table = ColorTable(tuple({(e.color, numbers[e.class_name]) for e in colors}), 0)
    entries = palette_entries(image)
    plan = IndexPlan({}, {})
    used = {i: n for i, n in enumerate(image.histogram()[:256]) if n}
    rest: dict[int, bool] = {}
    for old in used:
        color, opacity = entries[old] if old < len(entries) else (0, 255)
        found = id_of_color(color, opacity, table, _UNKNOWN, alpha)
        if found == _UNKNOWN or (found == 0 and opacity != 255):
            rest[old] = found == _UNKNOWN
            continue
        accepted = keys[color]
        plan.moves[old] = old if old in accepted else accepted[0]
        plan.palette[plan.moves[old]] = (color, 255)
    background = next((e for e in colors if e.class_name == BACKGROUND), None)
    for old, unknown in sorted(rest.items(), key=lambda entry: -used[entry[0]]):
        if background is not None and background.index is not None and not unknown:
            new, entry = background.index, (background.color, 255)
        else:
            new, entry = _free(old, rest, of_class, plan, where), (*entries, *[(0, 255)] * 256)[old]
        plan.moves[old] = new
        plan.palette[new] = entry
    return plan


def _free(old: int, rest: dict[int, bool], of_class: dict[int, str], plan: IndexPlan, where: str) -> int:
    """The old index if no class has it, or the first that nobody has."""
    if old not in of_class and old not in plan.palette:
        return old
    taken = plan.palette.keys() | of_class.keys() | rest.keys()
    free = next((i for i in range(256) if i not in taken), None)
    if free is None:
        raise RepairError(
            f"{where}: the colour map leaves no index for pixels that nobody labeled: this mask can be read "
            "by colour, but not repaired"
        )
    return free


def _keys(colors: tuple[ColorEntry, ...], where: str) -> dict[int, list[int]]:
    """Colour → the indices that the map gives to it."""
    keys: dict[int, list[int]] = {}
    for entry in colors:
        if entry.index is None or entry.index > 255:
            raise RepairError(
                f"{where}: {entry.class_name!r} has the key {entry.key!r} in 'internal-color-map', a palette "
                "has 0..255: this mask can be read by colour, but not repaired"
            )
        keys.setdefault(entry.color, []).append(entry.index)
    twice = [i for i, n in Counter(e.index for e in colors).items() if n > 1]
    if twice:
        raise RepairError(
            f"{where}: 'internal-color-map' has the index {twice[0]} twice: this mask can be read by "
            "colour, but not repaired"
        )
    return keys
