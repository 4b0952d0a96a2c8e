"""A changed copy of a job's labels in a place of its own: masks, their manifest and the list of classes."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from ._readback import compare
from .classes import LabelList
from .colormap import ColorEntry
from .errors import ExportError, LabelsError, ManifestError, RepairError
from .item import Item
from .manifest import Manifest
from .order import CATEGORIES
from .parallel import ordered_map
from .progress import Progress, tracked
from .storage import Storage, is_s3, join


class Copy:
    """The copy that a command makes; the originals are never touched, and all that is written is read back.

    Args:
        manifest: What is copied.
        target: A new or empty folder or S3 prefix.
        verb: The command, for messages.
        attribute: The label attribute that is written. Default: the one that is read.

    Raises:
        ExportError: The target is not empty.
    """

    def __init__(
        self,
        manifest: Manifest,
        target: str | os.PathLike[str],
        *,
        verb: str,
        attribute: str | None = None,
    ) -> None:
        manifest.require_plain(verb)
        self._attribute = attribute
        self._manifest, self.storage, self._target = manifest, manifest.storage, os.fspath(target)
        refuse_unless_empty(self.storage, self._target, f"{verb} writes a copy, choose an empty target")

    def write_mask(self, item: Item, data: bytes) -> str:
        """Write a mask; where it lies."""
        location = join(self._target, *self._name(item).split("/"))
        write_bytes(self.storage, location, data)
        return location

    def rewrite_mask(
        self,
        item: Item,
        original: Image.Image,
        data: bytes,
        *,
        colors: tuple[ColorEntry, ...],
        meaning: Callable[[str], str] = str,
    ) -> None:
        """Write another mask than the original, and hold what lies there against it, pixel by pixel.

        Args:
            item: Whose mask it is.
            original: Its mask as it was read.
            data: The new PNG file.
            colors: The new colour map.
            meaning: See `compare`.

        Raises:
            RepairError: They differ; nothing is left of the copy.
        """
        assert item.context is not None
        location = self.write_mask(item, data)
        try:
            compare(
                original,
                self.storage.read(location),
                colors=item.colors,
                copied_colors=colors,
                alpha=item.context.alpha,
                where=f"{item.where}: {item.mask_ref}",
                meaning=meaning,
            )
        except LabelsError:
            self.storage.remove(location)
            raise

    def reference(self, item: Item) -> str:
        """What a line calls the item's mask: relative to the manifest in a folder."""
        name = self._name(item)
        return join(self._target, name) if is_s3(self._target) else name

    def _name(self, item: Item) -> str:
        """`masks/<name>.png`, or the first such name that no other reference of the line ends in.

        In a folder references are found by their ends, so another attribute's mask would be taken for this.
        """
        written = self._attribute or item.attribute
        others = [found for key, found in json.loads(item.raw).items() if key != written]
        ends = [f"/{found}" for found in others if isinstance(found, str)]
        name, number = f"masks/{item.name}.png", 1
        while any(each.endswith(f"/{name}") for each in ends):
            number += 1
            name = f"masks/{item.name}.{number}.png"
        return name

    def write(
        self,
        copied: Callable[[Item], tuple[str, str]],
        *,
        labels: LabelList,
        workers: int | None,
        progress: Progress | None,
    ) -> tuple[str, Counter[str]]:
        """Copy every item, then the classes in their order, and at last the manifest.

        Args:
            copied: Copies one item's mask; returns the kind of what it did, and the line.
            labels: The classes of the copy.
            workers: Threads. Default: one a core.
            progress: Called with the number of lines done and their total.

        Returns:
            The manifest, and how many lines there are of each kind.
        """
        kinds: Counter[str] = Counter()

        def lines() -> Iterator[str]:
            results = ordered_map(copied, iter(self._manifest), workers=workers)
            for kind, line in tracked(results, progress, len(self._manifest)):
                kinds[kind] += 1
                yield line
            # The manifest, which is there once all of its lines are, never stands without its classes.
            self.storage.write(join(self._target, CATEGORIES), categories_of(labels).encode())

        location = join(self._target, "output.manifest")
        write_lines(self.storage, location, lines())
        return location, kinds


def write_bytes(storage: Storage, location: str, data: bytes) -> None:
    """Write a file, and read it back.

    Raises:
        RepairError: It reads otherwise than it was written.
    """
    storage.write(location, data)
    _read_back(storage, location, hashlib.sha256(data).digest())


def write_lines(storage: Storage, location: str, lines: Iterator[str]) -> None:
    """Write a manifest, and read it back.

    Raises:
        RepairError: It reads otherwise than it was written.
    """
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for line in lines:
            data = line.encode() + b"\n"
            digest.update(data)
            yield data

    storage.write_stream(location, pieces())
    _read_back(storage, location, digest.digest())


def refuse_unless_empty(storage: Storage, target: str, fix: str) -> None:
    """Refuse a folder or prefix that holds anything.

    Raises:
        ExportError: It does.
    """
    entries: Iterator[Any] = iter(())
    if is_s3(target):
        entries = storage.list(target)
    elif Path(target).is_dir():
        entries = iter(Path(target).iterdir())
    if next(entries, None) is not None:
        raise ExportError(f"{target}: is not empty; {fix}")


def categories_of(labels: LabelList) -> str:
    """A label category file."""
    listed = [{"label": name} for name in labels.names]
    return json_text({"document-version": "2018-11-28", "labels": listed})


def json_text(value: Any) -> str:
    """JSON on one line, in letters where UTF-8 has them.

    Raises:
        ManifestError: It has a number that JSON can't hold, as Python reads 1e999.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        shown = value.get("source-ref") if isinstance(value, dict) else None
        raise ManifestError(f"the line of {shown!r} has a number that is too large to be written") from error
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair is legal JSON as an escape, and can't be written otherwise.
        return json.dumps(value)
    return text


def _read_back(storage: Storage, location: str, digest: bytes) -> None:
    found = hashlib.sha256()
    with storage.open(location) as stream:
        while chunk := stream.read(1 << 20):
            found.update(chunk)
    if found.digest() != digest:
        # Whoever came upon it would take it for what it was meant to be.
        storage.remove(location)
        raise RepairError(f"{location}: reads back otherwise than it was written; it was removed")
