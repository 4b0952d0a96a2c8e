"""Corrected copies of masks with wrong palette indices (jobs of 2020-06-04 to 2020-09-04)."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from .colormap import ColorEntry, ColorTable
from .decode import decode_mask, open_png
from .errors import ExportError
from .item import Item
from .manifest import Manifest
from .parallel import ordered_map
from .progress import Progress, tracked
from .storage import is_s3, join


@dataclass(frozen=True, kw_only=True)
class RepairResult:
    """What a repair wrote.

    Attributes:
        manifest: The corrected copy of the manifest.
        corrected: Masks whose indices were wrong.
        unchanged: Masks that were right, copied as they were.
        passed: Lines without a mask, passed on.
    """

    manifest: str
    corrected: int
    unchanged: int
    passed: int


def has_wrong_indices(image: Image.Image, colors: tuple[ColorEntry, ...]) -> bool:
    """Whether a palette PNG uses other indices for its colours than the colour map says.

    Masks that have no palette have no indices, so they are never wrong.
    """
    if image.mode != "P":
        return False
    flat = image.getpalette("RGB") or []
    expected: dict[int, set[int | None]] = {}
    for entry in colors:
        expected.setdefault(entry.color, set()).add(entry.index)
    used = [i for i, count in enumerate(image.histogram()[:256]) if count]
    for index in used:
        red, green, blue = [*flat[3 * index : 3 * index + 3], 0, 0, 0][:3]
        indices = expected.get(red << 16 | green << 8 | blue)
        if indices and index not in indices:
            return True
    return False


def repair(
    manifest: Manifest,
    target: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> RepairResult:
    """Write `masks/` and `output.manifest` with right palette indices; the originals are never touched.

    A repaired mask has the index that `internal-color-map` gives to each colour. Everything else on a line
    stays; the mask's reference points to the copy (relative to the manifest in a folder).

    Args:
        manifest: The job to repair.
        target: A new or empty folder or S3 prefix.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        ExportError: The target is not empty, or an index does not fit into a palette.
        LabelsError: A line or mask cannot be used.
    """
    target = os.fspath(target)
    storage = manifest.storage
    if next(iter(storage.list(target)) if is_s3(target) else _entries(target), None) is not None:
        raise ExportError(f"{target}: is not empty; repair writes a copy, choose an empty target")
    kinds = {"corrected": 0, "unchanged": 0, "passed": 0}

    def lines() -> Iterator[bytes]:
        results = ordered_map(lambda item: _repair_item(item, target), iter(manifest), workers=workers)
        for kind, line in tracked(results, progress, manifest.scan.lines):
            kinds[kind] += 1
            yield line.encode() + b"\n"

    location = join(target, "output.manifest")
    storage.write_stream(location, lines())
    return RepairResult(manifest=location, **kinds)


def _entries(target: str) -> Iterator[Any]:
    return iter(Path(target).iterdir() if Path(target).is_dir() else ())


def _repair_item(item: Item, target: str) -> tuple[str, str]:
    if item.mask_ref is None or item.attribute is None or item.context is None:
        return "passed", item.raw
    data = item.mask_bytes()
    wrong = has_wrong_indices(open_png(data, name=item.mask_ref), item.colors)
    name = f"masks/{item.name}.png"
    item.context.storage.write(join(target, *name.split("/")), _right(item, data) if wrong else data)
    value = json.loads(item.raw)
    value[item.attribute] = join(target, name) if is_s3(target) else name
    return "corrected" if wrong else "unchanged", json.dumps(value, ensure_ascii=False)


def _right(item: Item, data: bytes) -> bytes:
    indices: dict[int, int] = {}
    for entry in item.colors:
        if entry.index is None or entry.index > 254:
            raise ExportError(
                f"{item.where}: {entry.class_name!r} has index {entry.index!r}, "
                "a palette has 0..254 for classes"
            )
        indices.setdefault(entry.color, entry.index)
    background = next((e.index for e in item.colors if e.class_name == "BACKGROUND"), 0)
    table = ColorTable(tuple(sorted(indices.items())), background or 0)
    mask: npt.NDArray[Any] = decode_mask(data, table, name=f"{item.where}: {item.mask_ref}")
    palette = bytearray(768)
    for color, index in indices.items():
        palette[3 * index : 3 * index + 3] = color.to_bytes(3, "big")
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette(bytes(palette))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
