"""Several classes of a manifest as one, and others as background, while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .classes import BACKGROUND, LabelList
from .errors import ManifestError

Merge = Mapping[str, Iterable[str]]
"""New name → the classes that it stands for."""


def merged_list(labels: LabelList, merge: Merge, drop: Iterable[str], found: Iterable[str]) -> LabelList:
    """A list in which classes have become one, or background.

    A merged class has its own place and id where the list names it, else those of the first of its classes.

    Args:
        labels: The classes as they are.
        merge: New name → classes.
        drop: Classes whose pixels become background.
        found: Class names met in the manifest.

    Raises:
        ManifestError: A class isn't there, or is named twice.
    """
    after = _wishes(merge, drop)
    if not after:
        return labels
    known = {*labels.names, *found} - {BACKGROUND}
    unknown = sorted(after.keys() - known)
    if unknown:
        there = ", ".join(map(repr, sorted(known))) or "none"
        raise ManifestError(f"there is no class {unknown[0]!r} to merge or drop; there are {there}")
    names = dict.fromkeys(after.get(name, name) for name in labels.names)
    names.pop(BACKGROUND, None)
    if not names:
        raise ManifestError("no class would be left; drop fewer")
    unlisted = [new for new in merge if new not in names]
    if unlisted:
        raise ManifestError(f"{labels.origin}: must have {unlisted[0]!r}, the name of merged classes")
    merged = {**dict(labels.merged), **after}
    # What had been merged before follows its class.
    chained = {old: after.get(new, new) for old, new in merged.items()}
    return replace(
        labels,
        names=tuple(names),
        given=None if labels.given is None else tuple(_ids(labels, names, after)),
        merged=tuple((old, new) for old, new in chained.items() if old != new),
    )


def _wishes(merge: Merge, drop: Iterable[str]) -> dict[str, str]:
    """Class → what it becomes."""
    pairs = [
        (old, new) for new, olds in merge.items() for old in ((olds,) if isinstance(olds, str) else olds)
    ]
    pairs += [(old, BACKGROUND) for old in ((drop,) if isinstance(drop, str) else drop)]
    after: dict[str, str] = {}
    named = {new for _, new in pairs}
    for new in merge:
        if new not in named:
            raise ManifestError(f"merge names no class that becomes {new!r}")
    for old, new in pairs:
        if old in after:
            raise ManifestError(f"{old!r} can't become both {after[old]!r} and {new!r}")
        after[old] = new
    for new in merge:
        if after.get(new, new) != new:
            raise ManifestError(f"{new!r} can't be the name of merged classes and become {after[new]!r}")
    return after


def _ids(labels: LabelList, names: Iterable[str], after: Mapping[str, str]) -> Iterable[int]:
    for name in names:
        own = name if name in labels.ids else next(old for old in labels.names if after.get(old) == name)
        yield labels.ids[own]
