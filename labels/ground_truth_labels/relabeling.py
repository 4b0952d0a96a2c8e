"""Labels under other names: what changes without a worker, as a copy with the original kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._copies import Copy, json_text
from ._painting import PAPER, mask_png
from .classes import BACKGROUND, LabelList
from .colormap import parse_internal_color_map
from .errors import ManifestError, RepairError
from .item import Item
from .names import check_attribute
from .opening import ManifestLike, opened
from .progress import Progress

_PALETTE = 256


@dataclass(frozen=True, kw_only=True)
class RelabelResult:
    """What `relabel` wrote.

    Attributes:
        manifest: The copy of the manifest; its classes lie beside it in `label-categories.json`.
        attribute: The label attribute that has the new names.
        classes: The classes there are now, in their order.
        repainted: Masks in which pixels changed.
        renamed: Masks that are the same to the byte, under a colour map with other names.
        unchanged: Masks without any class that changed, the same to the byte.
        passed: Lines without a mask, passed on.
    """

    manifest: str
    attribute: str
    classes: tuple[str, ...]
    repainted: int
    renamed: int
    unchanged: int
    passed: int


def relabel(
    manifest: ManifestLike,
    target: str | os.PathLike[str],
    *,
    rename: Mapping[str, str] | None = None,
    merge: Mapping[str, Iterable[str]] | None = None,
    drop: Iterable[str] = (),
    attribute: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> RelabelResult:
    """Rename, merge or drop classes in a copy of masks and manifest; no worker is needed for any of it.

    A class that is renamed changes in the colour map alone. Merged classes get the colour of the first of
    them in the map, and dropped ones become background; such a mask is written anew, and read back by
    another way than it was written. `relabeled` in the metadata says what was done and to which mask.

    Args:
        manifest: The job, or where its manifest is.
        target: A new or empty folder or S3 prefix.
        rename: Class → its new name, which no other class may have: that is a merge.
        merge: New name → two classes or more; the name may be one of theirs.
        drop: Classes whose pixels become background.
        attribute: The attribute to write, beside the one that is read; ends in `-ref`. Default: the one that
            is read, whose labels stay where they were.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        ExportError: The target is not empty, or the attribute's name isn't legal.
        ManifestError: A class isn't there, is named twice, or would be taken for another, or lines have other
            labels under the attribute to write.
        RepairError: A copy says otherwise than it should; nothing is left of it.
        LabelsError: A line or mask cannot be used.
    """
    manifest = opened(manifest)
    if manifest.attribute is None:
        raise ManifestError(f"{manifest.location}: no line has labels that could get other names")
    if manifest.context.unknown == "ignore":
        raise ManifestError(
            "relabel can't keep pixels of colours that nobody knows: read with unknown='error' or "
            "'background' (--unknown)"
        )
    written = attribute or manifest.attribute
    check_attribute(written)
    if written != manifest.attribute and written in manifest.scan.attributes:
        raise ManifestError(
            f"{manifest.location}: lines have labels as {written!r} already, which would be lost; choose "
            "another attribute"
        )
    change = _Change(manifest.labels, rename or {}, merge or {}, drop)
    copy = Copy(manifest, target, verb="relabel", attribute=written)
    location, kinds = copy.write(
        lambda item: _relabel_item(item, copy, change, written),
        labels=LabelList(change.classes, origin="relabel"),
        workers=workers,
        progress=progress,
    )
    return RelabelResult(
        manifest=location,
        attribute=written,
        classes=change.classes,
        repainted=kinds["repainted"],
        renamed=kinds["renamed"],
        unchanged=kinds["unchanged"],
        passed=kinds["passed"],
    )


class _Change:
    """Class → what it is called afterwards.

    Raises:
        ManifestError: The wishes contradict each other or the classes there are.
    """

    def __init__(
        self,
        labels: LabelList,
        rename: Mapping[str, str],
        merge: Mapping[str, Iterable[str]],
        drop: Iterable[str],
    ) -> None:
        groups = {new: (olds,) if isinstance(olds, str) else tuple(olds) for new, olds in merge.items()}
        wishes = [
            *rename.items(),
            *((old, new) for new, olds in groups.items() for old in olds),
            *((old, BACKGROUND) for old in ((drop,) if isinstance(drop, str) else drop)),
        ]
        self.names = dict(wishes)
        _check_olds(labels, [old for old, _ in wishes])
        for new, group in groups.items():
            if len(group) < 2:
                raise ManifestError(f"merge needs two classes or more for {new!r}, got {list(group)}")
        _check_news([*rename.values(), *groups], set(labels.names) - self.names.keys())
        after = (self.after(name) for name in labels.names)
        self.classes = tuple(dict.fromkeys(name for name in after if name != BACKGROUND))
        if not self.classes:
            raise ManifestError("no class would be left; drop fewer")

    def after(self, name: str) -> str:
        """What a class is called afterwards; `BACKGROUND` where it is dropped."""
        return self.names.get(name, name)


def _check_olds(labels: LabelList, olds: list[str]) -> None:
    if not olds:
        raise ManifestError("nothing to do: name classes with rename, merge or drop")
    for old in olds:
        if old not in labels.names:
            known = ", ".join(map(repr, labels.names)) or "none"
            raise ManifestError(f"there is no class {old!r} ({labels.origin}); there are {known}")
        if olds.count(old) > 1:
            raise ManifestError(f"{old!r} is named twice; say once what becomes of it")


def _check_news(news: list[str], stay: set[str]) -> None:
    for new in news:
        if not isinstance(new, str) or not new or new == BACKGROUND:
            raise ManifestError(f"a class can't be called {new!r}")
        if new in stay or news.count(new) > 1:
            raise ManifestError(f"two classes would be called {new!r}; to make them one, give both to merge")


def _relabel_item(item: Item, copy: Copy, change: _Change, attribute: str) -> tuple[str, str]:
    if item.mask_ref is None or item.attribute is None or item.context is None:
        return "passed", item.raw
    # A class that the list doesn't have could be the very name that another one gets.
    item.context.table(item.colors, item.where)
    value = json.loads(item.raw)
    metadata = dict(value[f"{item.attribute}-metadata"])
    colors = metadata["internal-color-map"]
    before = [entry["class-name"] for entry in colors.values()]
    after = [change.after(name) for name in before]
    if after == before:
        kind = "unchanged"
    else:
        dropped = any(old != new == BACKGROUND for old, new in zip(before, after, strict=True))
        kind = "repainted" if dropped or len(set(after)) < len(set(before)) else "renamed"
        metadata["relabeled"] = {
            "from": item.mask_ref,
            "classes": {old: new for old, new in change.names.items() if old in before},
        }
    if kind == "repainted":
        metadata["internal-color-map"] = _repaint(item, copy, change, colors)
    else:
        copy.write_mask(item, item.mask_bytes())
        renamed = zip(colors.items(), after, strict=True)
        metadata["internal-color-map"] = {key: {**entry, "class-name": new} for (key, entry), new in renamed}
    value[attribute] = copy.reference(item)
    value[f"{attribute}-metadata"] = metadata
    return kind, json_text(value)


def _repaint(item: Item, copy: Copy, change: _Change, colors: Mapping[str, Any]) -> dict[str, Any]:
    """Write the mask anew; its colour map, in which each class has one entry and its key is its index."""
    assert item.context is not None
    entries: dict[str, dict[str, Any]] = {}
    for entry in colors.values():
        new = change.after(entry["class-name"])
        # A class that is dropped lends its colour to nobody.
        if new != BACKGROUND or entry["class-name"] == BACKGROUND:
            entries.setdefault(new, {**entry, "class-name": new})
    if BACKGROUND not in entries:
        taken = {_color(entry) for entry in entries.values()}
        paper = next(color for color in range(PAPER, -1, -1) if color not in taken)
        entries = {BACKGROUND: {"class-name": BACKGROUND, "hex-color": f"#{paper:06x}"}, **entries}
    if len(entries) > _PALETTE:
        raise RepairError(
            f"{item.where}: has {len(entries)} classes, a mask that is written anew has at most {_PALETTE}"
        )
    data = item.mask_bytes()
    decoded = item.context.decoded(item, data)
    ids = item.context.labels().ids
    table = np.zeros(max(ids.values()) + 1, np.uint8)
    positions = {name: position for position, name in enumerate(entries)}
    for name, number in ids.items():
        table[number] = positions.get(change.after(name), positions[BACKGROUND])
    painted = mask_png(table[decoded.ids], [_color(entry) for entry in entries.values()])
    made = {str(position): entry for position, entry in enumerate(entries.values())}

    def meaning(name: str) -> str:
        unknown = BACKGROUND if item.context and item.context.unknown == "background" else ""
        return change.after(name) if name else unknown

    copy.rewrite_mask(
        item, decoded.image, painted, colors=parse_internal_color_map(made, item.where), meaning=meaning
    )
    return made


def _color(entry: Mapping[str, Any]) -> int:
    return int(entry["hex-color"][1:], 16)
