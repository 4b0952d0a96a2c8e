"""The label list: which class has which id, the same in every image and every run."""

from __future__ import annotations

import colorsys
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .errors import ManifestError, MissingError
from .storage import Storage

BACKGROUND = "BACKGROUND"
"""The class name that Ground Truth gives to pixels nobody labeled."""

IGNORE = 255
"""The id that training frameworks skip; never given to a class."""

_CLASSES_MAX = 65_000

# Told apart by people with common colour blindness when neighbours in the list (Okabe-Ito first).
# fmt: off
_COLORS = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442",
    "#8c564b", "#7f3c8d", "#a5aa99", "#1b9e77", "#e7298a", "#66a61e", "#a6761d",
    "#3969ac", "#f2b701", "#80ba5a", "#e68310", "#008695", "#cf1c90",
]
# fmt: on


@dataclass(frozen=True)
class LabelList:
    """Class names in order, and the ids that follow from it.

    Ids count up from 0 in the order of the names, leaving out the background's id and 255 (`IGNORE`).

    Args:
        names: Class names without the background, unique.
        background: Id of pixels that nobody labeled. Default: 0, so classes start at 1.
        origin: Where the order comes from, for messages and reports.
        given: Ids of one's own, one for each name. Default: counted.
        merged: Names under which masks have a class as well, each with its class here, or `BACKGROUND`.

    Raises:
        ManifestError: Names are empty or repeated, or the background id is not in 0-65,535.
    """

    names: tuple[str, ...]
    background: int = field(default=0, kw_only=True)
    origin: str = field(default="given", kw_only=True, compare=False)
    given: tuple[int, ...] | None = field(default=None, kw_only=True)
    merged: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        wrong = [n for n in self.names if not isinstance(n, str) or not n]
        if wrong:
            raise ManifestError(f"{self.origin}: class names must be non-empty text, got {wrong[0]!r}")
        object.__setattr__(self, "names", tuple(n for n in self.names if n != BACKGROUND))
        doubles = sorted(n for n, count in Counter(self.names).items() if count > 1)
        if doubles:
            raise ManifestError(f"{self.origin}: class names must be unique, {doubles!r} are repeated")
        if not 0 <= self.background <= 65_535:
            raise ManifestError(f"background must be in 0..65535, got {self.background!r}")
        if len(self.names) > _CLASSES_MAX:
            raise ManifestError(
                f"{self.origin}: has {len(self.names):,} classes, the limit is {_CLASSES_MAX:,}; "
                "give the list of the job's classes with labels=… (--labels)"
            )
        if self.given is not None:
            self._check_given()

    def _check_given(self) -> None:
        assert self.given is not None
        if len(self.given) != len(self.names):
            raise ManifestError(f"{self.origin}: must have an id for each of {len(self.names)} classes")
        taken = {self.background: BACKGROUND}
        for name, number in zip(self.names, self.given, strict=True):
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 65_534:
                raise ManifestError(f"{self.origin}: the id of {name!r} must be in 0..65534, got {number!r}")
            if number == IGNORE:
                raise ManifestError(f"{self.origin}: {name!r} can't have the id 255, which trainers ignore")
            if number in taken:
                raise ManifestError(
                    f"{self.origin}: {taken[number]!r} and {name!r} have the same id {number}; "
                    "give each class its own, and the background's with background=…"
                )
            taken[number] = name

    @classmethod
    def read(cls, location: str, *, background: int = 0, storage: Storage | None = None) -> LabelList:
        """The list of a label category file (`{"labels": [{"label": "road"}, …]}`), local or in S3.

        Raises:
            ManifestError: The file is not a category file.
            MissingError: There is no such file.
        """
        data = (storage or Storage()).read(location)
        try:
            names = tuple(entry["label"] for entry in json.loads(data)["labels"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ManifestError(
                f'{location}: must be a label category file, {{"labels": [{{"label": …}}]}}: {error!r}'
            ) from error
        return cls(names, background=background, origin=location)

    @classmethod
    def from_names(cls, found: Iterable[str], *, background: int = 0) -> LabelList:
        """The list for names met in a manifest, in code-point order: independent of line order.

        The ids change when a later manifest meets another name; a category file is safer.
        """
        names = tuple(sorted(set(found) - {BACKGROUND}))
        return cls(names, background=background, origin="names in the manifest, sorted")

    @cached_property
    def ids(self) -> dict[str, int]:
        """Class name → id, the background included."""
        if self.given is not None:
            # They are in the order of the ids' owners, the background first.
            return {BACKGROUND: self.background, **dict(zip(self.names, self.given, strict=True))}
        reserved = {self.background, IGNORE}
        free = (i for i in range(len(self.names) + 3) if i not in reserved)
        return {BACKGROUND: self.background, **dict(zip(self.names, free, strict=False))}

    @cached_property
    def lookup(self) -> dict[str, int]:
        """Class name in a mask → id: `ids`, and the names that were merged into them."""
        return {**self.ids, **{old: self.ids[new] for old, new in self.merged}}

    @cached_property
    def by_id(self) -> dict[int, str]:
        """Id → class name, the background included, in the order of the ids."""
        return dict(sorted((i, n) for n, i in self.ids.items()))

    @cached_property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """`uint8`, or `uint16` when an id needs it."""
        return np.dtype(np.uint8 if max(self.by_id) <= IGNORE else np.uint16)

    @cached_property
    def colors(self) -> dict[int, str]:
        """Id → `#rrggbb` for pictures and palettes; the background is black."""
        classes = {self.ids[n]: _color(i) for i, n in enumerate(self.names)}
        return {**classes, self.background: "#000000"}

    def palette(self) -> bytes:
        """The 256 x 3 bytes of a PNG palette in which index = id; `IGNORE` is white-grey."""
        table = bytearray(768)
        for i, color in {IGNORE: "#e0e0e0", **self.colors}.items():
            if i < 256:
                table[3 * i : 3 * i + 3] = bytes.fromhex(color[1:])
        return bytes(table)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


Labels = LabelList | Mapping[str, int] | Sequence[str] | str | os.PathLike[str]
"""What `labels=` takes; the same rule in Python and on the command line."""


def label_list(labels: Labels, *, background: int = 0, storage: Storage | None = None) -> LabelList:
    """The label list that a user means.

    A text is the place of a file, unless it has a comma: then it is names (`road,car`), or names with ids
    (`road=1,car=2`). A file that ends in `.json` is a category file, any other has a name on each line. Names
    with the same id become one class.

    Raises:
        ManifestError: It is none of these.
        MissingError: There is no such file.
    """
    if isinstance(labels, LabelList):
        return labels
    if isinstance(labels, Mapping):
        return _own_ids(labels.items(), background)
    if isinstance(labels, os.PathLike):
        return _from_file(os.fspath(labels), background, storage)
    if isinstance(labels, str):
        if "," in labels:
            return _named(labels, background)
        return _from_file(labels, background, storage)
    try:
        return LabelList(tuple(labels), background=background, origin="labels")
    except TypeError as error:
        raise ManifestError(f"labels must be names, name → id, or a file, got {labels!r}") from error


def _named(text: str, background: int) -> LabelList:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    pairs = [name.rpartition("=") for name in names]
    if not any(re.fullmatch(r"[0-9]+", number.strip()) and name for name, _, number in pairs):
        return LabelList(names, background=background, origin="labels")
    for name, _, number in pairs:
        if not name.strip() or not re.fullmatch(r"[0-9]{1,9}", number.strip()):
            raise ManifestError(f"labels: must be name=id for each class, or names alone, got {text!r}")
    return _own_ids([(name.strip(), int(number)) for name, _, number in pairs], background)


def _own_ids(given: Iterable[tuple[str, int]], background: int) -> LabelList:
    """A list of ids of one's own; the names of one id become one class."""
    pairs = list(given)
    together: dict[int, list[str]] = {}
    for name, number in pairs:
        if name == BACKGROUND:
            background = number
        else:
            # One that is no int has no equal, and is told as wrong.
            together.setdefault(number if type(number) is int else id(number), []).append(name)
    groups = list(together.values())
    ids = dict(pairs)
    names = tuple(group[0] if len(group) == 1 else "+".join(map(str, group)) for group in groups)
    merged = [(old, new) for group, new in zip(groups, names, strict=True) for old in group if old != new]
    return LabelList(
        names,
        background=background,
        given=tuple(ids[group[0]] for group in groups),
        origin="labels",
        merged=tuple(merged),
    )


def _from_file(location: str, background: int, storage: Storage | None) -> LabelList:
    if location.endswith(".json"):
        return LabelList.read(location, background=background, storage=storage)
    try:
        text = (storage or Storage()).read(location).decode("utf-8-sig")
    except MissingError as error:
        raise MissingError(
            f"{error}; a text in labels (--labels) is a file, or names if it has a comma: one class alone is "
            f"written {location + ','!r}"
        ) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{location}: must be text in UTF-8 with a class on each line") from error
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    return LabelList(names, background=background, origin=location)


def _color(position: int) -> str:
    if position < len(_COLORS):
        return _COLORS[position]
    # Steps of the golden ratio never come close to an earlier hue.
    rgb = colorsys.hsv_to_rgb(position * 0.618034 % 1, 0.55 + 0.35 * (position % 2), 0.75)
    return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)
