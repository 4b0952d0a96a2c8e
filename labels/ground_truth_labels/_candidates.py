"""Labels that several manifests have of one image: which is kept, and how the others differ."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from ._times import moment
from .classes import LabelList
from .colormap import ColorEntry, color_table, parse_internal_color_map
from .decode import MaskArray, decode_mask
from .errors import LabelsError, MaskError
from .manifest import Manifest
from .resolve import check_reference
from .storage import is_s3, join, parent


@dataclass(frozen=True)
class Label:
    """What one line of one manifest says under one attribute.

    Attributes:
        manifest: Whose line it is.
        where: Manifest and line.
        value: The label; None where labeling failed.
        metadata: The attribute's metadata.
        is_mask: Whether the value refers to a mask.
    """

    manifest: Manifest
    where: str
    value: Any
    metadata: Mapping[str, Any]
    is_mask: bool

    @property
    def created(self) -> datetime:
        """When, as the metadata says; the beginning of time where it doesn't."""
        text = self.metadata.get("creation-date")
        return (moment(text) if isinstance(text, str) else None) or datetime.min

    def data(self) -> bytes:
        """The mask's file.

        Raises:
            LabelsError: It can't be read.
        """
        if not isinstance(self.value, str):
            raise MaskError(f"{self.where}: must refer to a mask, got {self.value!r}")
        reference = check_reference(self.value, self.where)
        return self.manifest.context.read(reference, self.where, mask=True)

    @property
    def place(self) -> str:
        """What tells masks apart: the key, or the file that a relative reference means."""
        if not isinstance(self.value, str) or is_s3(self.value):
            return str(self.value)
        try:
            return os.path.realpath(self.manifest.context.resolver.locate(self.value, mask=True))
        except LabelsError:
            return join(parent(self.manifest.location), self.value)

    @cached_property
    def colors(self) -> tuple[ColorEntry, ...]:
        """The mask's colour map.

        Raises:
            ManifestError: It has none, or a broken one.
        """
        return parse_internal_color_map(self.metadata.get("internal-color-map"), self.where)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names in the colour map; none of a broken one."""
        try:
            return tuple(entry.class_name for entry in self.colors)
        except LabelsError:
            return ()

    def decoded(self, labels: LabelList) -> MaskArray:
        """The mask in the ids of a list.

        Raises:
            LabelsError: It can't be read.
        """
        context = self.manifest.context
        return decode_mask(
            self.data(),
            color_table(self.colors, labels, self.where),
            unknown=context.unknown,
            alpha=context.alpha,
            name=f"{self.where}: {self.value}",
            limits=context.storage.limits,
        )


def choose(labels: Sequence[Label]) -> tuple[Label, list[tuple[Label, str]]]:
    """The newest label that can be read, and each other one that says something else, with how it differs.

    A mask is read only where there are two to choose from.
    """
    # The order is stable, and then turned: of equal dates the last comes first.
    newest = sorted(labels, key=lambda label: (label.value is not None, label.created))[::-1]
    rivals = [label for label in newest if label.value is not None]
    if len(rivals) < 2:
        return newest[0], []
    if not all(label.is_mask for label in rivals):
        return rivals[0], [
            (other, "older" if other.created < rivals[0].created else "of an earlier manifest")
            for other in rivals[1:]
            if (other.value, other.metadata.get("class-name"))
            != (rivals[0].value, rivals[0].metadata.get("class-name"))
        ]
    return _of_masks(rivals)


def _of_masks(rivals: list[Label]) -> tuple[Label, list[tuple[Label, str]]]:
    said = [(label.place, label.metadata.get("internal-color-map")) for label in rivals]
    if all(each == said[0] for each in said):
        return rivals[0], []
    labels = LabelList.from_names(name for label in rivals for name in label.class_names)
    read: list[tuple[Label, MaskArray]] = []
    lost: list[tuple[Label, str]] = []
    for label in rivals:
        try:
            read.append((label, label.decoded(labels)))
        except LabelsError as error:
            lost.append((label, f"can't be read: {error}"))
    if not read:
        # Nothing is better than the newest, and whoever reads it is told again.
        return rivals[0], [entry for entry in lost if entry[0] is not rivals[0]]
    (chosen, mask), *others = read
    for other, older in others:
        how = _difference(mask, older)
        if how:
            age = "older" if other.created < chosen.created else "of an earlier manifest"
            lost.append((other, f"{age}, {how}"))
    return chosen, lost


def _difference(mask: MaskArray, other: MaskArray) -> str:
    if mask.shape != other.shape:
        return f"of another size, {other.shape[1]} x {other.shape[0]} pixels"
    share = float(np.mean(mask != other))
    return f"{share:.2%} of its pixels differ" if share else ""
