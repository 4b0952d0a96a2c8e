"""The formats, and what an export of one is asked."""

from __future__ import annotations

import os

from ..errors import ExportError
from ..opening import ManifestLike, opened
from ..progress import Progress
from ..shares import Shares, parse_shares
from .base import Format
from .coco import CocoFormat, CocoPolygonFormat
from .cvat import CvatFormat
from .datumaro import DatumaroFormat
from .huggingface import ImageFolderFormat, ParquetFormat
from .label_studio import LabelStudioFormat
from .mmsegmentation import Ade20kFormat, CityscapesFormat
from .running import ExportResult, Run
from .simple import NumpyFormat, PngFormat, SageMakerFormat, VocFormat
from .split import check_shares
from .yolo import YoloSegFormat

_CLASSES: tuple[type[Format], ...] = (
    Ade20kFormat,
    CityscapesFormat,
    CocoFormat,
    CocoPolygonFormat,
    CvatFormat,
    DatumaroFormat,
    ImageFolderFormat,
    LabelStudioFormat,
    NumpyFormat,
    ParquetFormat,
    PngFormat,
    SageMakerFormat,
    VocFormat,
    YoloSegFormat,
)
FORMATS: dict[str, type[Format]] = {layout.name: layout for layout in _CLASSES}


def export(
    manifest: ManifestLike,
    target: str | os.PathLike[str],
    *,
    format: str = "png",
    split: Shares | None = None,
    seed: int = 0,
    images: bool = True,
    negatives: bool = True,
    regions: bool = False,
    skip_broken: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ExportResult:
    """Write the labels in a layout that training code reads.

    Run again after an interruption, it goes on where it stopped, with the same result as an undisturbed run.
    `_labels/` in the target says what was exported (`export.json`), from where (`sources.jsonl`) and what was
    left out and why (`left-out.jsonl`).

    Args:
        manifest: What to export, or where its manifest is; several are one dataset.
        target: An empty or new folder, or an `s3://` prefix.
        format: One of `FORMATS`.
        split: Shares of `train`, `validation`, `test`: a mapping, "80/20", (0.8, 0.2), or 0.8 alone for
            `train`. Lines of one image stay together. Default: no split (what a layout demands otherwise).
        seed: Seed of the split.
        images: Whether images go along. Default: yes.
        negatives: Whether images go along whose mask is background all over. Default: yes.
        regions: In COCO, an annotation for each region of connected pixels (by their sides). Default: one for
            each class in an image.
        skip_broken: Leave out what cannot be decoded, and say so. Default: stop at the first.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        ExportError: Unknown format, unusable target or split.
        LabelsError: A line, image or mask cannot be used.
    """
    manifest = opened(manifest)
    if format not in FORMATS:
        near = next((name for name in FORMATS if format and name.startswith(str(format))), "")
        hint = f"; did you mean {near!r}?" if near else ""
        raise ExportError(f"format must be one of {', '.join(FORMATS)}, got {format!r}{hint}")
    layout = FORMATS[format](manifest.labels)
    wanted = parse_shares(split) if split else layout.default_split
    shares = check_shares(wanted) if wanted else None
    _check_options(layout, shares, images)
    if regions and not layout.has_regions:
        able = ", ".join(name for name, each in FORMATS.items() if each.has_regions)
        raise ExportError(f"regions (--regions) is of the formats {able}; {format!r} has no use for it")
    layout.regions = regions
    run = Run(
        manifest,
        os.fspath(target),
        layout,
        shares=shares,
        seed=seed,
        images=images,
        negatives=negatives,
        skip_broken=skip_broken,
        workers=workers,
        progress=progress,
    )
    return run.run()


def _check_options(layout: Format, shares: dict[str, float] | None, images: bool) -> None:
    lacking = [name for name in layout.required_splits if name not in (shares or {})]
    if lacking:
        raise ExportError(f"format {layout.name!r} needs a share for {', '.join(lacking)} in the split")
    if layout.needs_images and not images:
        raise ExportError(f"format {layout.name!r} cannot leave out the images")
    layout.check_classes()
