"""One manifest of several jobs: the newest label of each image and attribute that can be read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._candidates import Label, choose
from ._copies import categories_of, json_text, refuse_unless_empty, write_bytes, write_lines
from .classes import LabelList
from .errors import LabelsError, ManifestError
from .lines import read_lines
from .manifest import Manifest
from .names import check_attribute, safe_name
from .opening import ManifestLike, opened
from .order import CATEGORIES
from .parallel import ordered_map
from .parse import SEGMENTATION, attributes, load_line
from .progress import Progress, tracked
from .resolve import check_reference
from .storage import Storage, is_s3, join

_METADATA = "-metadata"


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Two labels of one image that don't say the same, or one that can't be read.

    Attributes:
        source_ref: The image.
        attribute: The label attribute, or the key of any other value.
        chosen: Manifest and line whose label is kept.
        other: Manifest and line whose label is not.
        reason: Why, and how far they differ.
    """

    source_ref: str
    attribute: str
    chosen: str
    other: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class MergeResult:
    """What `merge` wrote.

    Attributes:
        manifest: The merged manifest; its classes lie beside it in `label-categories.json`.
        images: Lines in it.
        labels: Attribute → images that have a label under it.
        conflicts: What was decided between labels that differ.
    """

    manifest: str
    images: int
    labels: dict[str, int]
    conflicts: tuple[Conflict, ...]


def merge(
    manifests: Iterable[ManifestLike],
    target: str | os.PathLike[str],
    *,
    into: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> MergeResult:
    """Write one output manifest of several: a line for each image, with the newest label of each attribute.

    A label is newer by its `creation-date`, and of the same time by the order of the manifests. One that
    failed, or whose mask can't be read where there is another, gives way. Masks in S3 stay where they are;
    those of a folder are copied to `masks/`. The manifests are held in memory.

    Args:
        manifests: Two or more: open, or where they are.
        target: A new or empty folder or S3 prefix.
        into: One attribute for the segmentations of all, such as labels and their adjustments: an image gets
            the newest of them. Default: each attribute by itself.
        workers: Threads. Default: one a core.
        progress: Called with the number of images done and their total.

    Raises:
        ExportError: The target is not empty, or `into` isn't a legal attribute.
        ManifestError: A line cannot be used, or one relative reference means two images.
        LabelsError: A mask cannot be copied.
    """
    inputs = [opened(manifest) for manifest in manifests]
    if len(inputs) < 2:
        raise ManifestError(f"merge needs two manifests or more, got {len(inputs)}")
    for each in inputs:
        each.require_plain("merge", whole=True)
    target, storage = os.fspath(target), inputs[0].storage
    refuse_unless_empty(storage, target, "merge writes a new manifest, choose an empty target")
    if into is not None:
        check_attribute(into)
    images = _gathered(inputs, into)
    conflicts: list[Conflict] = []
    counts: dict[str, int] = {}

    def lines() -> Iterator[str]:
        merged = ordered_map(lambda image: image.merged(storage, target), images, workers=workers)
        for image, (value, found) in zip(images, tracked(merged, progress, len(images)), strict=True):
            conflicts.extend(found)
            for attribute in image.labels:
                counts[attribute] = counts.get(attribute, 0) + (attribute in value)
            yield json_text(value)
        storage.write(join(target, CATEGORIES), categories_of(_classes(inputs)).encode())

    location = join(target, "output.manifest")
    write_lines(storage, location, lines())
    return MergeResult(manifest=location, images=len(images), labels=counts, conflicts=tuple(conflicts))


@dataclass
class _Image:
    """All that the manifests say of one image."""

    index: int
    source_ref: str
    values: dict[str, tuple[Any, str]] = field(default_factory=dict)
    labels: dict[str, list[Label]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def add(self, value: Mapping[str, Any], manifest: Manifest, where: str, into: str | None) -> None:
        """Take in one line, its segmentations under one attribute where one is given."""
        masks = attributes(value, SEGMENTATION)
        known = [
            key.removesuffix(_METADATA)
            for key, found in value.items()
            if key.endswith(_METADATA) and isinstance(found, Mapping)
        ]
        for attribute in known:
            label = Label(
                manifest=manifest,
                where=where,
                value=value.get(attribute),
                metadata=value[attribute + _METADATA],
                is_mask=attribute in masks and attribute in value,
            )
            name = into if into is not None and attribute in masks else attribute
            self.labels.setdefault(name, []).append(label)
        for key, found in value.items():
            if key in known or key.removesuffix(_METADATA) in known:
                continue
            before, said = self.values.setdefault(key, (found, where))
            if before != found:
                shown = f"{json.dumps(before)[:40]} and {json.dumps(found)[:40]}"
                self.conflicts.append(self._conflict(key, said, where, f"the first is kept of {shown}"))

    def merged(self, storage: Storage, target: str) -> tuple[dict[str, Any], list[Conflict]]:
        """The line, and what was decided."""
        value = {key: found for key, (found, _) in self.values.items()}
        conflicts = list(self.conflicts)
        for attribute, labels in self.labels.items():
            chosen, lost = choose(labels)
            conflicts += [self._conflict(attribute, chosen.where, other.where, why) for other, why in lost]
            if chosen.is_mask and chosen.value is not None:
                value[attribute] = self._kept(attribute, chosen, storage, target)
            elif chosen.value is not None:
                value[attribute] = chosen.value
            value[attribute + _METADATA] = chosen.metadata
        return value, conflicts

    def _kept(self, attribute: str, label: Label, storage: Storage, target: str) -> str:
        if isinstance(label.value, str) and is_s3(label.value):
            return label.value
        # A key of somebody else's line may be a path; what isn't a plain name is called by its position.
        plain = re.fullmatch(r"[A-Za-z0-9-]{1,127}", attribute)
        ending = attribute if plain else f"_{list(self.labels).index(attribute)}"
        name = f"masks/{safe_name(self.index, self.source_ref)}.{ending}.png"
        location = join(target, *name.split("/"))
        write_bytes(storage, location, label.data())
        return location if is_s3(target) else name

    def _conflict(self, attribute: str, chosen: str, other: str, reason: str) -> Conflict:
        return Conflict(
            source_ref=self.source_ref, attribute=attribute, chosen=chosen, other=other, reason=reason
        )


def _gathered(manifests: Sequence[Manifest], into: str | None) -> list[_Image]:
    images: dict[str, _Image] = {}
    places: dict[str, str] = {}
    for manifest in manifests:
        for where, value in _lines(manifest):
            source = value.get("source-ref")
            if not isinstance(source, str):
                raise ManifestError(f"{where}: must have 'source-ref', an image's reference, got {source!r}")
            check_reference(source, f"{where}, 'source-ref'")
            if not is_s3(source):
                place = _place(source, manifest)
                if places.setdefault(source, place) != place:
                    raise ManifestError(
                        f"{where}: {source!r} is {place}, and {places[source]} for another manifest; merge "
                        "manifests whose references start from one folder"
                    )
            image = images.setdefault(source, _Image(len(images), source))
            image.add(value, manifest, where, into)
    return list(images.values())


def _lines(manifest: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    with manifest.storage.open(manifest.location) as stream:
        for number, raw in read_lines(stream, manifest.location, manifest.storage.limits.line_bytes):
            if isinstance(raw, LabelsError):
                raise raw
            where = f"{manifest.location}, line {number}"
            yield where, load_line(raw, where)


def _place(source: str, manifest: Manifest) -> str:
    """The file that a relative reference means; the reference itself where there is none."""
    try:
        return os.path.realpath(manifest.context.resolver.locate(source))
    except LabelsError:
        return source


def _classes(manifests: Sequence[Manifest]) -> LabelList:
    """All classes, in the order of the first manifest that has them."""
    names: dict[str, None] = {}
    for manifest in manifests:
        try:
            names.update(dict.fromkeys(manifest.labels.names))
        except ManifestError:
            # With several label attributes a manifest has no one order.
            found = manifest.scan.class_names.values()
            names.update(dict.fromkeys(LabelList.from_names(set().union(*found)).names))
    return LabelList(tuple(names), origin="merge")
