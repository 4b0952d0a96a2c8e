"""Corrected copies of masks with wrong palette indices (jobs of 2020-06-04 to 2020-09-04)."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ._indices import IndexPlan, plan_indices
from ._png_indices import read_indexed
from .colormap import ColorEntry
from .decode import Alpha
from .errors import ExportError, RepairError
from .item import Item
from .manifest import ManifestLike, opened
from .parallel import ordered_map
from .progress import Progress, tracked
from .storage import Storage, is_s3, join


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


def repair(
    manifest: ManifestLike,
    target: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> RepairResult:
    """Write `masks/` and `output.manifest` with right palette indices; the originals are never touched.

    A repaired mask has the index that `internal-color-map` gives to each colour. Pixels without a class get
    the map's BACKGROUND, and without one an index that no class has. Every copy is read back, by another
    way than it was written, and held against the original's colours pixel by pixel. Everything else on a line
    stays; the mask's reference points to the copy (relative to the manifest in a folder).

    Args:
        manifest: The job to repair, or where its manifest is.
        target: A new or empty folder or S3 prefix.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        ExportError: The target is not empty.
        RepairError: A mask has no copy that reads the same; nothing is left of a wrong one.
        LabelsError: A line or mask cannot be used.
    """
    manifest = opened(manifest)
    target = os.fspath(target)
    storage = manifest.storage
    if next(iter(storage.list(target)) if is_s3(target) else _entries(target), None) is not None:
        raise ExportError(f"{target}: is not empty; repair writes a copy, choose an empty target")
    kinds = {"corrected": 0, "unchanged": 0, "passed": 0}
    digest = hashlib.sha256()

    def lines() -> Iterator[bytes]:
        results = ordered_map(lambda item: _repair_item(item, target), iter(manifest), workers=workers)
        for kind, line in tracked(results, progress, manifest.scan.lines):
            kinds[kind] += 1
            data = line.encode() + b"\n"
            digest.update(data)
            yield data

    location = join(target, "output.manifest")
    storage.write_stream(location, lines())
    _same(storage, location, digest.digest())
    return RepairResult(manifest=location, **kinds)


def _entries(target: str) -> Iterator[Any]:
    return iter(Path(target).iterdir() if Path(target).is_dir() else ())


def _repair_item(item: Item, target: str) -> tuple[str, str]:
    if item.mask_ref is None or item.attribute is None or item.context is None:
        return "passed", item.raw
    where = f"{item.where}: {item.mask_ref}"
    data = item.mask_bytes()
    # What can't be read can't be repaired, and is told in the words of reading.
    image = item.context.decoded(item, data).image
    plan = plan_indices(image, item.colors, alpha=item.context.alpha, where=where)
    name = f"masks/{item.name}.png"
    location = join(target, *name.split("/"))
    storage = item.context.storage
    if plan is None or not plan.wrong:
        storage.write(location, data)
        _same(storage, location, hashlib.sha256(data).digest())
        kind = "unchanged"
    else:
        storage.write(location, _moved(image, plan))
        try:
            _compare(image, storage.read(location), item.colors, item.context.alpha, where)
        except RepairError:
            storage.remove(location)
            raise
        kind = "corrected"
    value = json.loads(item.raw)
    value[item.attribute] = join(target, name) if is_s3(target) else name
    return kind, _json(value)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair is legal JSON as an escape, and can't be written otherwise.
        return json.dumps(value)
    return text


def _moved(image: Image.Image, plan: IndexPlan) -> bytes:
    table = bytes(plan.moves.get(i, 0) for i in range(256))
    copy = Image.frombytes("P", image.size, image.tobytes().translate(table))
    # From 17 entries on an index has eight bits, and every reader takes it for what it is.
    size = max(17, *(index + 1 for index in plan.palette))
    entries = [plan.palette.get(i, (0, 255)) for i in range(size)]
    copy.putpalette(b"".join(color.to_bytes(3, "big") for color, _ in entries))
    opacity = bytes(alpha for _, alpha in entries)
    buffer = io.BytesIO()
    copy.save(buffer, "PNG", **({"transparency": opacity} if min(opacity) < 255 else {}))
    return buffer.getvalue()


def _same(storage: Storage, location: str, digest: bytes) -> None:
    found = hashlib.sha256()
    with storage.open(location) as stream:
        while chunk := stream.read(1 << 20):
            found.update(chunk)
    if found.digest() != digest:
        raise RepairError(f"{location}: reads back otherwise than it was written; the repair stops here")


def _compare(
    original: Image.Image, copy: bytes, colors: tuple[ColorEntry, ...], alpha: Alpha, where: str
) -> None:
    """Hold the copy's classes, by index, against the original's, by colour, at every pixel.

    Raises:
        RepairError: They differ.
    """
    read = read_indexed(copy, f"{where}: the repaired copy")
    if read.indices.shape != (original.height, original.width):
        raise RepairError(f"{where}: the repaired copy has another size; it was removed")
    rgba = np.asarray(original.convert("RGBA"), np.uint8).view("<u4").ravel().astype(np.uint64)
    pairs, counts = np.unique(rgba << np.uint64(8) | read.indices.ravel(), return_counts=True)
    by_hex = {entry.hex: entry.class_name for entry in colors}
    by_index = {entry.index: entry.class_name for entry in colors}
    differing = 0
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        red, green, blue, opacity = (pair >> 8).to_bytes(4, "little")
        name = by_hex.get(f"#{red:02x}{green:02x}{blue:02x}", "")
        if opacity < {"visible": 1, "opaque": 255, "color": 0}[alpha] or (not name and not opacity):
            name = "BACKGROUND"
        index = pair & 255
        # An index that the map doesn't have is nobody's: background, or the colour that nobody knew.
        found = by_index.get(index, "BACKGROUND" if name == "BACKGROUND" else "")
        shown = f"#{read.palette[index]:06x}"
        differing += count if found != name or (index in by_index and by_hex.get(shown) != name) else 0
    if differing:
        raise RepairError(
            f"{where}: {differing:,} pixels of the repaired copy read as another class than the original's; "
            "the copy was removed, use the original, which reads right by colour"
        )
