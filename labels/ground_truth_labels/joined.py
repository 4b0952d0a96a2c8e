"""Several manifests as one: one numbering of objects, one of classes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from threading import RLock

from .class_merges import Merge, merged_list
from .classes import LabelList
from .errors import ManifestError
from .item import Item
from .manifest import Manifest
from .scan import Scan


class JoinedManifest(Manifest):
    """Several manifests, one after the other; an item's `index` counts through all of them.

    A class has the place that the first manifest gives it. Lists that a user gave must not contradict each
    other, and an image has one label in all.
    """

    def __init__(
        self, parts: tuple[Manifest, ...], *, merge: Merge | None = None, drop: Iterable[str] = ()
    ) -> None:
        if not parts:
            raise ManifestError("there is no manifest to read, the list of them is empty")
        self._given_parts = tuple(part for given in parts for part in given.parts)
        self._parts = tuple(self._bound(part) for part in self._given_parts)
        self.location = " + ".join(part.location for part in self._parts)
        self.storage = self._parts[0].storage
        self.context = self._parts[0].context
        self.own_ids = any(part.own_ids for part in self._parts)
        self._merge, self._drop, self._choices = merge or {}, drop, ()
        self._lock = RLock()

    def _bound(self, part: Manifest) -> Manifest:
        bound = copy.copy(part)
        bound.context = replace(part.context, labels=lambda: self.labels)
        return bound

    def _again(self) -> Manifest:
        return JoinedManifest(self._given_parts, merge=self._merge, drop=self._drop)

    @property
    def narrowed(self) -> bool:
        """Whether `where` leaves out anything, here or in a part."""
        return bool(self._choices) or any(part.narrowed for part in self._parts)

    @property
    def parts(self) -> tuple[Manifest, ...]:
        """The manifests that were joined."""
        return self._parts

    @property
    def attribute(self) -> str | None:
        """The label attributes that are read, with commas where they differ."""
        return ", ".join(dict.fromkeys(p.attribute for p in self._parts if p.attribute)) or None

    @cached_property
    def labels(self) -> LabelList:
        """One list for all.

        Raises:
            ManifestError: Lists or labels contradict each other; names both.
        """
        with self._lock:
            self._refuse_two_labels()
            listed = _one_list(self._given_parts)
            return merged_list(listed, self._merge, self._drop, self._met())

    def _met(self) -> frozenset[str]:
        return frozenset().union(*(part._met() for part in self._parts))

    def _scan(self) -> Scan:
        scans = [part.scan for part in self._parts]
        return Scan(
            lines=sum(scan.lines for scan in scans),
            segmentations=_added(scan.segmentations for scan in scans),
            verifications=_added(scan.verifications for scan in scans),
            attributes=tuple(dict.fromkeys(name for scan in scans for name in scan.attributes)),
            class_names={"": self._met()},
        )

    def _told(self) -> Iterator[tuple[Item, bool]]:
        first = 0
        for part in self._parts:
            for item, used in part._told():
                numbered = replace(item, index=first + item.index)
                yield numbered, used and all(choice.takes(numbered) for choice in self._choices)
            first += part.scan.lines

    def _refuse_two_labels(self) -> None:
        labeled: dict[str, str] = {}
        for part in self._parts:
            here: dict[str, str] = {}
            for item in part.items():
                if item.state == "labeled" and all(choice.takes(item) for choice in self._choices):
                    here.setdefault(part.context.identity(item), item.where)
            for image, where in here.items():
                if image in labeled:
                    raise ManifestError(
                        f"{labeled[image]} and {where}: both have a label of one image, {image}; choose with "
                        "where(…), or let `merge` keep the newest"
                    )
            labeled |= here


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return total


def _one_list(parts: tuple[Manifest, ...]) -> LabelList:
    """All classes, as the first manifest that has each has it.

    Raises:
        ManifestError: Two manifests contradict each other.
    """
    background = parts[0].labels.background
    meaning: dict[str, tuple[object, Manifest]] = {}
    for part in parts:
        if part.labels.background != background:
            raise _Contradiction(parts[0], part, "the background", background, part.labels.background)
        for name, new in {**{n: n for n in part.labels.names}, **dict(part.labels.merged)}.items():
            _agree(meaning, name, new, part, f"the class {name!r}")
    given = [part for part in parts if part.own_ids]
    ids, owners = _given_ids(given), dict[str, None]()
    for part in given or parts:
        owners.update(dict.fromkeys(part.labels.names))
    for part in parts:
        strange = [name for name in part.labels.names if name not in owners]
        if strange:
            raise ManifestError(
                f"{part.location}: has the class {strange[0]!r}, which is not in the list given for "
                f"{given[0].location}; give labels=… for all"
            )
    return LabelList(
        tuple(owners),
        background=background,
        given=tuple(ids[name] for name in owners) if given else None,
        origin=f"the classes of {len(parts)} manifests",
        merged=tuple((old, str(new)) for old, (new, _) in meaning.items() if old != new),
    )


def _given_ids(parts: list[Manifest]) -> dict[str, int]:
    by_name: dict[str, tuple[object, Manifest]] = {}
    by_id: dict[str, tuple[object, Manifest]] = {}
    ids: dict[str, int] = {}
    for part in parts:
        for name in part.labels.names:
            ids[name] = part.labels.ids[name]
            _agree(by_name, name, ids[name], part, f"the id of {name!r}")
            _agree(by_id, str(ids[name]), name, part, f"id {ids[name]}")
    return ids


def _agree(
    known: dict[str, tuple[object, Manifest]], key: str, value: object, part: Manifest, what: str
) -> None:
    before, other = known.setdefault(key, (value, part))
    if before != value:
        raise _Contradiction(other, part, what, before, value)


class _Contradiction(ManifestError):
    """Two manifests that say different things of one class."""

    def __init__(self, one: Manifest, other: Manifest, what: str, here: object, there: object) -> None:
        super().__init__(
            f"{one.location} and {other.location}: {what} is {here!r} in the one, {there!r} in the other; "
            "read both with the same labels=…, merge=… and background=…"
        )
