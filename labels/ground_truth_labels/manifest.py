"""An output manifest, read lazily: its items, which of them are used, and the classes."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from threading import RLock
from typing import overload

from .choosing import Choice, Keys, Predicate, chosen, items_at
from .class_merges import Merge, merged_list
from .classes import LabelList
from .context import Context
from .decode import Alpha, Unknown
from .errors import LabelsError, ManifestError
from .item import Item
from .lines import read_lines
from .order import in_app_order
from .orientation import Orientation
from .parse import parse_item
from .resolve import Resolver
from .scan import Scan, scan_lines
from .storage import Storage


class Manifest:
    """An output manifest. Iterate over it for its items; nothing is kept, so any size will do."""

    def __init__(
        self,
        location: str,
        *,
        attribute: str | None,
        labels: LabelList | None,
        background: int,
        unknown: Unknown,
        alpha: Alpha,
        orientation: Orientation = "stored",
        root: str | None,
        mask_root: str | None = None,
        named: str | None = None,
        merge: Merge | None = None,
        drop: Iterable[str] = (),
        own_ids: bool = False,
        storage: Storage,
    ) -> None:
        #: Whether the user gave the label list, so that no other may contradict it.
        self.own_ids = own_ids
        self.location = location
        self.storage = storage
        self._attribute = attribute
        self._awaited = False
        self._given_labels = labels
        self._background = background
        self._merge, self._drop = merge or {}, drop
        self._choices: tuple[Choice, ...] = ()
        self._lock = RLock()
        self.context = Context(
            storage=storage,
            resolver=Resolver(location, storage, named=named, root=root, mask_root=mask_root),
            labels=lambda: self.labels,
            unknown=unknown,
            alpha=alpha,
            orientation=orientation,
        )

    def __repr__(self) -> str:
        return f"Manifest({self.location!r})"

    def __iter__(self) -> Iterator[Item]:
        """The items in the manifest's order.

        Raises:
            LabelsError: At the first line that cannot be used; `items(invalid="yield")` goes on instead.
        """
        for item in self.items():
            if item.error is not None:
                raise item.error
            yield item

    def __len__(self) -> int:
        """Number of objects, lines that cannot be used included."""
        return sum(1 for _ in self.items()) if self.narrowed else self.scan.lines

    @overload
    def __getitem__(self, position: int) -> Item: ...

    @overload
    def __getitem__(self, position: slice) -> list[Item]: ...

    def __getitem__(self, position: int | slice) -> Item | list[Item]:
        """The object at a position from 0, or from the end below 0; of a slice, a list.

        Raises:
            IndexError: There is none.
            LabelsError: Its line cannot be used.
            TypeError: Text; `where(keys=…)` finds an image by its name.
        """
        if isinstance(position, slice):
            return items_at(self.items(), range(*position.indices(len(self))))
        if isinstance(position, str):
            raise TypeError(f"objects are counted from 0; where(keys=[{position!r}]) finds one by its image")
        wanted = position + len(self) if position < 0 else position
        for at, item in enumerate(self.items()) if wanted >= 0 else ():
            if at == wanted:
                if item.error is not None:
                    raise item.error
                return item
        raise IndexError(f"{self.location}: has {len(self):,} objects, there is none at {position}")

    def __add__(self, other: Manifest) -> Manifest:
        """Both as one, as `read_manifest` of several places has it."""
        # Late, as a joined manifest is a manifest.
        from .joined import JoinedManifest

        return JoinedManifest((self, other)) if isinstance(other, Manifest) else NotImplemented

    def where(
        self,
        predicate: Predicate | None = None,
        *,
        min_confidence: float | None = None,
        human: bool | None = None,
        verdict: str | None = None,
        keys: Keys | None = None,
    ) -> Manifest:
        """The same manifest with the labels alone that meet all conditions; class ids stay.

        An export lists the others as left out. `keys` says which images there are at all; with any other
        condition there are labeled ones only.

        Args:
            predicate: Called with each labeled item, says whether it is used.
            min_confidence: Least confidence, 0-1. Labels without one are not used.
            human: Made by people (True) or by automated labeling (False).
            verdict: What the last verification job said, for example `good`.
            keys: The images: their references, or the ends of them that are enough; or the place of a file
                with one on each line.

        Raises:
            ManifestError: No line has the verdict or the image, or a key names several.
        """
        choice = chosen(
            self.items(),
            self.location,
            self.storage,
            predicate=predicate,
            min_confidence=min_confidence,
            human=human,
            verdict=verdict,
            keys=keys,
        )
        narrowed = self._again()
        narrowed._choices = (*self._choices, choice)
        return narrowed

    def _again(self) -> Manifest:
        return copy.copy(self)

    def under(self, attribute: str) -> Manifest:
        """The same manifest read under another attribute, which no line need have yet."""
        other = self._again()
        other._attribute, other._awaited = attribute, True
        for known in ("labels", "scan"):
            other.__dict__.pop(known, None)
        other.context = replace(self.context, labels=lambda: other.labels)
        return other

    @property
    def narrowed(self) -> bool:
        """Whether `where` leaves out anything."""
        return bool(self._choices)

    @property
    def parts(self) -> tuple[Manifest, ...]:
        """The manifests that were joined; of one manifest, itself."""
        return (self,)

    def require_plain(self, verb: str, *, whole: bool = False) -> None:
        """Refuse what a command that writes lines anew would lose.

        Args:
            verb: The command.
            whole: Whether it takes all lines.

        Raises:
            ManifestError: Several manifests, or classes that were merged or dropped in reading.
        """
        if whole and self._choices:
            raise ManifestError(f"{verb} takes all lines of {self.location}; read it without where(…)")
        if len(self.parts) > 1:
            raise ManifestError(
                f"{verb} takes one manifest, got {len(self.parts)}: {self.location}; `merge` makes one of "
                "them"
            )
        # Without asking for the labels: with several attributes there is no one list of them.
        given = self._given_labels.merged if self._given_labels is not None else ()
        if self._merge or self._drop or given:
            raise ManifestError(
                f"{verb} takes the classes as they are; read without merge=… and drop=…, `relabel` writes "
                "merged and dropped ones"
            )

    @property
    def classes(self) -> dict[str, int]:
        """Class name → id, the background included."""
        return self.labels.ids

    def items(self) -> Iterator[Item]:
        """All items, also lines that cannot be used: those have state `invalid` and an `error`."""
        return (item for item, used in self._told() if used)

    def every(self) -> Iterator[Item]:
        """The items of all lines; labels that `where` leaves out have state `unchosen`."""
        for item, used in self._told():
            yield item if used or item.state != "labeled" else replace(item, state="unchosen")

    def _told(self) -> Iterator[tuple[Item, bool]]:
        """The items of all lines, and whether each is used."""
        for item in self._parsed():
            yield item, all(choice.takes(item) for choice in self._choices)

    def _parsed(self) -> Iterator[Item]:
        attribute = self.attribute
        for index, (line, raw) in enumerate(self._lines()):
            if isinstance(raw, LabelsError):
                yield Item(
                    location=self.location, line=line, index=index, state="invalid", raw="", error=raw,
                    context=self.context,
                )  # fmt: skip
                continue
            yield parse_item(
                raw,
                location=self.location,
                line=line,
                index=index,
                attribute=attribute,
                context=self.context,
            )

    @property
    def attribute(self) -> str | None:
        """The label attribute that is read; None if no line has a segmentation.

        Raises:
            ManifestError: None was chosen and lines have several, or no line has the one chosen.
        """
        if self._attribute is not None:
            if self._attribute not in self.scan.attributes and self.scan.lines and not self._awaited:
                known = ", ".join(map(repr, self.scan.attributes)) or "none"
                raise ManifestError(
                    f"{self.location}: no line has the label attribute {self._attribute!r}, found {known}"
                )
            return self._attribute
        found = self.scan.segmentations
        if len(found) > 1:
            raise ManifestError(
                f"{self.location}: has several label attributes, {', '.join(map(repr, found))}; "
                "choose one with attribute=… (--attribute)"
            )
        return next(iter(found), None)

    @cached_property
    def labels(self) -> LabelList:
        """The label list: the one given, else the app's order, else the names met in the manifest, sorted."""
        with self._lock:
            if not (self._merge or self._drop):
                return self._listed()
            return merged_list(self._listed(), self._merge, self._drop, self._met())

    def _met(self) -> frozenset[str]:
        """Class names met in the manifest."""
        return self.scan.class_names.get(self.attribute or "", frozenset())

    def _listed(self) -> LabelList:
        if self._given_labels is not None:
            return self._given_labels
        names = self._met()
        found = in_app_order(
            names,
            self.scan.jobs.get(self.attribute or "", {}),
            self.context.resolver,
            self.storage,
            background=self._background,
        )
        return found or LabelList.from_names(names, background=self._background)

    @cached_property
    def scan(self) -> Scan:
        """One pass over all lines, made when first needed."""
        with self._lock:
            return self._scan()

    def _scan(self) -> Scan:
        return scan_lines(self._lines())

    def _lines(self) -> Iterator[tuple[int, bytes | LabelsError]]:
        with self.storage.open(self.location) as stream:
            yield from read_lines(stream, self.location, self.storage.limits.line_bytes)
