"""Which labels of a manifest are used: what `Manifest.where` takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .errors import ManifestError
from .item import Item
from .storage import Storage

Predicate = Callable[[Item], bool]
"""Says of a labeled item whether it is used."""

Keys = Iterable[str] | str | os.PathLike[str]
"""References of images, or the place of a file with one on each line."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Conditions that a label meets, all of them.

    Attributes:
        predicate: Called with a labeled item.
        min_confidence: Least confidence, 0-1; a label without one is not used.
        human: Whether people or automated labeling made it.
        verdict: What the last verification job says of it.
        images: The images' references.
    """

    predicate: Predicate | None = None
    min_confidence: float | None = None
    human: bool | None = None
    verdict: str | None = None
    images: frozenset[str] | None = None

    def takes(self, item: Item) -> bool:
        """Whether an item is used; one that can't be read always is, for whoever reads it has to know."""
        if item.state == "invalid":
            return True
        if self.images is not None and item.source_ref not in self.images:
            return False
        if not self._of_labels():
            return True
        return item.state == "labeled" and self._label(item)

    def _of_labels(self) -> bool:
        wishes = (self.predicate, self.min_confidence, self.human, self.verdict)
        return any(wish is not None for wish in wishes)

    def _label(self, item: Item) -> bool:
        if self.min_confidence is not None and (
            item.confidence is None or item.confidence < self.min_confidence
        ):
            return False
        if self.human is not None and item.human is not self.human:
            return False
        if self.verdict is not None and last_verdict(item) != self.verdict:
            return False
        return self.predicate is None or bool(self.predicate(item))


def last_verdict(item: Item) -> str | None:
    """What the last verification job says of an item; None where none does."""
    return item.verifications[-1].class_name if item.verifications else None


def chosen(
    items: Iterable[Item],
    where: str,
    storage: Storage,
    *,
    predicate: Predicate | None,
    min_confidence: float | None,
    human: bool | None,
    verdict: str | None,
    keys: Keys | None,
) -> Choice:
    """The choice that a user means.

    Raises:
        ManifestError: A confidence that can't be, a verdict nobody gave, a key that names no image or two.
        MissingError: There is no such file of keys.
    """
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise ManifestError(f"min_confidence must be in 0..1, got {min_confidence!r}")
    images = None
    if verdict is not None or keys is not None:
        found = [(item.source_ref, last_verdict(item)) for item in items if item.state != "invalid"]
        verdicts = sorted({said for _, said in found if said is not None})
        if verdict is not None and verdict not in verdicts:
            told = ", ".join(map(repr, verdicts)) or "none"
            raise ManifestError(f"{where}: no line has the verdict {verdict!r}, found {told}")
        if keys is not None:
            images = _images([reference for reference, _ in found], _listed(keys, storage), where)
    return Choice(
        predicate=predicate, min_confidence=min_confidence, human=human, verdict=verdict, images=images
    )


def _listed(keys: Keys, storage: Storage) -> list[str]:
    if not isinstance(keys, str | os.PathLike):
        return [str(key) for key in keys]
    location = os.fspath(keys)
    try:
        text = storage.read(location).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{location}: must be text in UTF-8 with an image on each line") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _images(references: list[str], keys: list[str], where: str) -> frozenset[str]:
    """The references that keys name: whole, or by their last parts."""
    wanted = set(keys)
    named: dict[str, set[str]] = {}
    for reference in references:
        ending, rest = reference, reference
        while ending:
            if ending in wanted:
                named.setdefault(ending, set()).add(reference)
            _, _, rest = rest.partition("/")
            ending = rest
    unknown = [key for key in keys if key not in named]
    if unknown:
        more = f", and {len(unknown) - 1:,} more" if len(unknown) > 1 else ""
        raise ManifestError(f"{where}: no line has the image {unknown[0]!r}{more}")
    for key, found in named.items():
        if len(found) > 1 and key not in found:
            two = " and ".join(sorted(found)[:2])
            raise ManifestError(f"{where}: {key!r} names {len(found):,} images, {two}; name more of it")
    return frozenset(r for key, found in named.items() for r in ({key} if key in found else found))


def items_at(items: Iterable[Item], positions: range) -> list[Item]:
    """The items at some positions from 0, in the order of these.

    Raises:
        LabelsError: The line of one cannot be used.
    """
    found = {at: item for at, item in enumerate(items) if at in positions}
    for item in found.values():
        if item.error is not None:
            raise item.error
    return [found[at] for at in positions]
