"""What the demo leaves behind: the manifest, the masks, a report, and one picture to show to a colleague."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from ground_truth_labels import Manifest, read_manifest, report
from ground_truth_labels.drawing import overlay

from ..copies import MANIFEST, copy_output, keys

FILE = "overlay.png"
_TILE_HEIGHT, _GAP, _COLUMNS = 320, 16, 3


def write(session: Any, manifest_uri: str, folder: Path) -> int:
    """Fetch the job's output into an emptied folder and draw the overlays; return the number of masks."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "masks").mkdir(parents=True)
    buckets = folder / "buckets"
    copied = copy_output(session.client("s3"), manifest_uri, buckets)
    shutil.copyfile(copied, folder / "output.manifest")
    # All that follows works on a copy of the buckets, as a user may: no AWS.
    manifest = read_manifest(copied, root=buckets)
    tiles = list(_tiles(manifest, folder / "masks"))
    _contact_sheet(tiles).save(folder / FILE)
    report(manifest, folder / "report.html")
    return len(tiles)


def count_labels(session: Any, manifest_uri: str) -> int:
    """How many files the job's output folder holds."""
    bucket, _, key = manifest_uri.removeprefix("s3://").partition("/")
    return sum(1 for _ in keys(session.client("s3"), bucket, key.removesuffix(MANIFEST)))


def _tiles(manifest: Manifest, masks: Path) -> Iterator[Image.Image]:
    for item in manifest:
        if item.state != "labeled":
            continue
        (masks / f"{item.name}.png").write_bytes(item.mask_bytes())
        photograph = item.image()
        # Scaled first, so that all legends have one size; the mask follows.
        width = round(photograph.width * _TILE_HEIGHT / photograph.height)
        scaled = photograph.convert("RGB").resize((width, _TILE_HEIGHT), Image.Resampling.LANCZOS)
        yield overlay(scaled, item.mask(), manifest.labels)


def _contact_sheet(tiles: list[Image.Image]) -> Image.Image:
    rows = [tiles[start : start + _COLUMNS] for start in range(0, len(tiles), _COLUMNS)]
    width = max(sum(tile.width for tile in row) + _GAP * (len(row) + 1) for row in rows)
    heights = [max(tile.height for tile in row) for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + _GAP * (len(rows) + 1)), "white")
    y = _GAP
    for row, height in zip(rows, heights, strict=True):
        x = _GAP
        for tile in row:
            sheet.paste(tile, (x, y))
            x += tile.width + _GAP
        y += height + _GAP
    return sheet
