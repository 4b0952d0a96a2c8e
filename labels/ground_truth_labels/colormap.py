"""An `internal-color-map` (or a worker's `labelMappings`), checked, and bound to class ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ._numbers import number
from .classes import LabelList
from .errors import ManifestError

#: Entries of one map. A palette has 256; the rest is room for masks without one.
_CLASSES_MAX = 4_096


@dataclass(frozen=True, kw_only=True)
class ColorEntry:
    """One colour of a mask.

    Attributes:
        class_name: The class; `BACKGROUND` for pixels nobody labeled.
        color: `0xRRGGBB`.
        index: The palette index that the service documents for it; jobs of June-September 2020 hold others.
        key: The entry's key in the map, of which `index` is the number.
        confidence: Confidence of the image, or None.
    """

    class_name: str
    color: int
    index: int | None = None
    key: str = ""
    confidence: float | None = None

    @property
    def hex(self) -> str:
        """`#rrggbb`."""
        return f"#{self.color:06x}"


@dataclass(frozen=True)
class ColorTable:
    """Colours and the class ids they stand for.

    Attributes:
        ids: `(0xRRGGBB, id)` pairs, each colour once.
        background: Id of transparent pixels.
        wide: Whether ids need 16 bits.
    """

    ids: tuple[tuple[int, int], ...]
    background: int
    wide: bool = False

    @cached_property
    def by_color(self) -> dict[int, int]:
        """`0xRRGGBB` → id."""
        return dict(self.ids)

    @cached_property
    def sentinel(self) -> int:
        """A value that no id has, for colours that nobody knows; 255 (or 65535) unless that is an id."""
        used = {self.background, *(i for _, i in self.ids)}
        return next(i for i in range(65_535 if self.wide else 255, -1, -1) if i not in used)


def parse_internal_color_map(value: Any, where: str) -> tuple[ColorEntry, ...]:
    """The entries of `internal-color-map` (SageMaker Developer Guide, "Semantic Segmentation Job Output").

    Raises:
        ManifestError: It breaks the format, or gives one colour to two classes.
    """
    if not isinstance(value, Mapping) or not value:
        raise ManifestError(f"{where}: 'internal-color-map' must be an object with an entry for each class")
    if len(value) > _CLASSES_MAX:
        raise ManifestError(
            f"{where}: 'internal-color-map' has {len(value):,} entries, the limit is {_CLASSES_MAX:,}"
        )
    entries = []
    for key, entry in value.items():
        if not isinstance(entry, Mapping):
            raise ManifestError(
                f"{where}: 'internal-color-map' entry {key!r} must be an object, got {entry!r}"
            )
        confidence = entry.get("confidence")
        entries.append(
            ColorEntry(
                class_name=_name(entry.get("class-name"), where),
                color=_color(entry.get("hex-color"), where),
                index=int(key) if re.fullmatch(r"[0-9]{1,6}", key) else None,
                key=key,
                confidence=number(confidence, where, "a confidence"),
            )
        )
    _refuse_conflicts(entries, where)
    return tuple(entries)


def parse_label_mappings(value: Any, where: str) -> tuple[ColorEntry, ...]:
    """The entries of a worker's `labelMappings` (`{"road": {"color": "#2ca02c"}}`).

    Raises:
        ManifestError: It breaks the format, or gives one colour to two classes.
    """
    if not isinstance(value, Mapping):
        raise ManifestError(f"{where}: 'labelMappings' must be an object, got {type(value).__name__}")
    entries = [
        ColorEntry(
            class_name=_name(name, where),
            color=_color(entry.get("color") if isinstance(entry, Mapping) else None, where),
        )
        for name, entry in value.items()
    ]
    _refuse_conflicts(entries, where)
    return tuple(entries)


def color_table(entries: tuple[ColorEntry, ...], labels: LabelList, where: str) -> ColorTable:
    """Bind colours to the ids of a label list.

    Raises:
        ManifestError: A class is not in the list.
    """
    ids = labels.lookup
    unknown = sorted({e.class_name for e in entries} - ids.keys())
    if unknown:
        raise ManifestError(
            f"{where}: class {', '.join(map(repr, unknown))} is not in the label list ({labels.origin}); "
            "give the list of the job that wrote the mask"
        )
    pairs = tuple(sorted({(e.color, ids[e.class_name]) for e in entries}))
    return ColorTable(pairs, labels.background, labels.dtype.itemsize > 1)


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ManifestError(f"{where}: a class name must be non-empty text, got {value!r}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ManifestError(f"{where}: a class name must be text, got half a surrogate pair in {value!r}")
    # No other spelling is meant: somebody's class may well be called "Background".
    return value


def _color(value: Any, where: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ManifestError(f"{where}: a colour must be written '#rrggbb', got {value!r}")
    return int(value[1:], 16)


def _refuse_conflicts(entries: list[ColorEntry], where: str) -> None:
    seen: dict[int, str] = {}
    for entry in entries:
        other = seen.setdefault(entry.color, entry.class_name)
        if other != entry.class_name:
            raise ManifestError(
                f"{where}: colour {entry.hex} stands for both {other!r} and {entry.class_name!r}; "
                "the mask cannot be told apart"
            )
