"""Corrected copies of masks with wrong palette indices (jobs of 2020-06-04 to 2020-09-04)."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass

from PIL import Image

from ._copies import Copy, json_text
from ._indices import IndexPlan, plan_indices
from .item import Item
from .opening import ManifestLike, opened
from .progress import Progress


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
    copy = Copy(manifest, target, verb="repair")
    location, kinds = copy.write(
        lambda item: _repair_item(item, copy), labels=manifest.labels, workers=workers, progress=progress
    )
    return RepairResult(
        manifest=location,
        corrected=kinds["corrected"],
        unchanged=kinds["unchanged"],
        passed=kinds["passed"],
    )


def _repair_item(item: Item, copy: Copy) -> tuple[str, str]:
    if item.mask_ref is None or item.attribute is None or item.context is None:
        return "passed", item.raw
    where = f"{item.where}: {item.mask_ref}"
    data = item.mask_bytes()
    # What can't be read can't be repaired, and is told in the words of reading.
    image = item.context.decoded(item, data).image
    plan = plan_indices(image, item.colors, alpha=item.context.alpha, where=where)
    if plan is None or not plan.wrong:
        copy.write_mask(item, data)
        kind = "unchanged"
    else:
        copy.rewrite_mask(item, image, _moved(image, plan), colors=item.colors)
        kind = "corrected"
    value = json.loads(item.raw)
    value[item.attribute] = copy.reference(item)
    return kind, json_text(value)


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
