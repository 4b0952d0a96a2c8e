"""Running an export: streamed, parallel, resumable."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..align import aligned_image
from ..errors import ExportError, LabelsError
from ..item import Item
from ..manifest import Manifest, ManifestLike, opened
from ..parallel import ordered_map
from ..progress import Progress
from ..shares import parse_split
from .base import CLASS_LIST, Format, Record, Sample, class_list, json_bytes
from .coco import CocoFormat, CocoPolygonFormat
from .cvat import CvatFormat
from .datumaro import DatumaroFormat
from .huggingface import ImageFolderFormat, ParquetFormat
from .label_studio import LabelStudioFormat
from .masks import MaskStore
from .mmsegmentation import Ade20kFormat, CityscapesFormat
from .simple import NumpyFormat, PngFormat, SageMakerFormat, VocFormat
from .split import by_image, check_shares
from .workspace import DONE, Workspace
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


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What an export did.

    Attributes:
        target: Where it is.
        exported: Split ("" without one) → number of images.
        left_out: State or `broken` → number of lines that were not exported.
        resumed: Images that an earlier, interrupted run had written.
    """

    target: str
    exported: dict[str, int]
    left_out: dict[str, int]
    resumed: int = 0


@dataclass(frozen=True)
class _Batch:
    split: str
    number: int
    items: list[Item]


def export(
    manifest: ManifestLike,
    target: str | os.PathLike[str],
    *,
    format: str = "png",
    split: Mapping[str, float] | str | None = None,
    seed: int = 0,
    images: bool = True,
    skip_broken: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ExportResult:
    """Write the labels in a layout that training code reads.

    Run again after an interruption, it goes on where it stopped, with the same result as an undisturbed run.
    `_labels/` in the target says what was exported (`export.json`), from where (`sources.jsonl`) and what was
    left out and why (`left-out.jsonl`).

    Args:
        manifest: What to export, or where its manifest is.
        target: An empty or new folder, or an `s3://` prefix.
        format: One of `FORMATS`.
        split: Shares of `train`, `validation`, `test`, or a text such as "80/20". Lines of one image
            stay together. Default: no split (what a layout demands otherwise).
        seed: Seed of the split.
        images: Whether images go along. Default: yes.
        skip_broken: Leave out what cannot be decoded, and say so. Default: stop at the first.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        ExportError: Unknown format, unusable target or split.
        LabelsError: A line, image or mask cannot be used.
    """
    manifest = opened(manifest)
    if format not in FORMATS:
        raise ExportError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    layout = FORMATS[format](manifest.labels)
    wanted = (parse_split(split) if isinstance(split, str) else split) or layout.default_split
    shares = check_shares(wanted) if wanted else None
    _check_options(layout, shares, images)
    run = _Run(manifest, os.fspath(target), layout, shares, seed, images, skip_broken, workers, progress)
    return run.run()


def _check_options(layout: Format, shares: dict[str, float] | None, images: bool) -> None:
    lacking = [name for name in layout.required_splits if name not in (shares or {})]
    if lacking:
        raise ExportError(f"format {layout.name!r} needs a share for {', '.join(lacking)} in the split")
    if layout.needs_images and not images:
        raise ExportError(f"format {layout.name!r} cannot leave out the images")


class _Run:
    def __init__(
        self,
        manifest: Manifest,
        target: str,
        layout: Format,
        shares: dict[str, float] | None,
        seed: int,
        images: bool,
        skip_broken: bool,
        workers: int | None,
        progress: Progress | None,
    ) -> None:
        self.manifest, self.layout, self.shares, self.seed = manifest, layout, shares, seed
        self.images, self.skip_broken, self.workers, self.progress = images, skip_broken, workers, progress
        self.space = Workspace(manifest.storage, target)
        self.masks: MaskStore | None = None

    def run(self) -> ExportResult:
        plan = self._plan()
        done = self.space.open(plan)
        if done is None:
            summary = json.loads(self.manifest.storage.read(f"{self.space.target}/{DONE}"))
            return ExportResult(
                target=self.space.target, exported=summary["exported"], left_out=summary["left_out"],
                resumed=sum(summary["exported"].values()),
            )  # fmt: skip
        resumed = sum(len(entry["samples"]) for entry in self.space.entries())
        splits = self._splits() if self.shares and len(self.shares) > 1 else None
        batches = self._batches(splits)
        for _ in range(done):
            next(batches)
        written = done * self.layout.batch
        total = self.manifest.scan.lines
        results = ordered_map(self._write, batches, workers=self.workers)
        try:
            for entry in results:
                self.space.append(entry)
                written += len(entry["samples"]) + len(entry["left_out"])
                if self.progress:
                    self.progress(min(written, total), total)
        finally:
            self.space.flush()
            if self.masks is not None:
                self.masks.close()
        if self.progress:
            self.progress(total, total)
        return self._finish(plan, resumed)

    def _plan(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        with self.manifest.storage.open(self.manifest.location) as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        return {
            "manifest_sha256": digest.hexdigest(),
            "attribute": self.manifest.attribute,
            "classes": {str(i): name for i, name in self.layout.labels.by_id.items()},
            "background": self.layout.labels.background,
            "unknown": self.manifest.context.unknown,
            "format": self.layout.name,
            "split": self.shares,
            "seed": self.seed,
            "images": self.images,
            "skip_broken": self.skip_broken,
        }

    def _splits(self) -> dict[int, str]:
        """Object number → split; needs one pass over the masks, kept for a resumed run.

        The masks are kept decoded for the pass that writes; a resumed run decodes what is left once more.
        """
        saved = self.space.saved("split.json")
        if saved is None:
            self.masks = MaskStore(self.space.scratch())
            labeled = (item for item in self.manifest.items() if item.state == "labeled")
            present = [p for p in ordered_map(self._presence, labeled, workers=self.workers) if p]
            assert self.shares is not None
            images = [image for _, image, _ in present]
            names = by_image(images, [classes for *_, classes in present], self.shares, seed=self.seed)
            saved = [[index, name] for (index, *_), name in zip(present, names, strict=True)]
            self.space.save("split.json", saved)
        return dict(saved)

    def _presence(self, item: Item) -> tuple[int, str, frozenset[int]] | None:
        assert self.masks is not None
        try:
            ids = self.masks.put(item.index, item.mask())
        except LabelsError:
            if self.skip_broken:
                return None
            raise
        return item.index, item.source_ref, ids - {self.layout.labels.background}

    def _batches(self, splits: dict[int, str] | None) -> Iterator[_Batch]:
        """Groups of items for one split each, in an order that depends on manifest and options alone."""
        only = next(iter(self.shares)) if self.shares else ""
        open_items: dict[str, list[Item]] = {}
        numbers: Counter[str] = Counter()
        for item in self.manifest.items():
            name = splits.get(item.index, only) if splits is not None else only
            group = open_items.setdefault(name, [])
            group.append(item)
            if len(group) == self.layout.batch:
                yield _Batch(name, numbers[name], open_items.pop(name))
                numbers[name] += 1
        for name, group in sorted(open_items.items()):
            yield _Batch(name, numbers[name], group)

    def _write(self, batch: _Batch) -> Record:
        samples, left_out = [], []
        reason: str
        state: str
        for item in batch.items:
            try:
                if item.state == "invalid" and item.error is not None:
                    raise item.error
                if item.state == "labeled":
                    samples.append(self._sample(item, batch.split))
                    continue
                reason, state = item.failure or item.state, item.state
            except LabelsError as error:
                if not self.skip_broken:
                    raise
                reason, state = str(error), "broken"
            left_out.append({"line": item.line, "source_ref": item.source_ref, "state": state, "why": reason})
        if samples:
            for name, data in self.layout.files(samples, batch.number):
                self.space.write(name, data)
        return {
            "left_out": left_out,
            "samples": [{"source": _source(s), "record": self.layout.record(s)} for s in samples],
        }

    def _sample(self, item: Item, split: str) -> Sample:
        kept = self.masks.take(item.index) if self.masks is not None else None
        mask = item.mask() if kept is None else kept
        height, width = mask.shape
        image = aligned_image(item, (height, width), jpeg=self.layout.jpeg_only) if self.images else None
        return Sample(item=item, split=split, mask=mask, image=image)

    def _finish(self, plan: dict[str, Any], resumed: int) -> ExportResult:
        def samples(kind: str) -> Iterator[Any]:
            return (sample[kind] for entry in self.space.entries() for sample in entry["samples"])

        def left_out() -> Iterator[Any]:
            return (line for entry in self.space.entries() for line in entry["left_out"])

        splits = tuple(self.shares or {"": 1.0})
        for name, pieces in self.layout.finish(partial(samples, "record"), splits):
            self.space.write_stream(name, pieces)
        self.space.write_stream("_labels/sources.jsonl", map(_line, samples("source")))
        self.space.write_stream("_labels/left-out.jsonl", map(_line, left_out()))
        exported = Counter(dict.fromkeys(splits, 0)) + Counter(s["split"] for s in samples("source"))
        missed = Counter(line["state"] for line in left_out())
        summary = {"plan": plan, "exported": dict(exported), "left_out": dict(missed)}
        self.space.write(CLASS_LIST, class_list(self.layout.labels))
        self.space.write(DONE, json_bytes(summary))
        self.space.close()
        return ExportResult(
            target=self.space.target, exported=dict(exported), left_out=dict(missed), resumed=resumed
        )


def _source(sample: Sample) -> Record:
    item = sample.item
    return {
        "name": sample.name,
        "split": sample.split,
        "line": item.line,
        "source_ref": item.source_ref,
        "mask_ref": item.mask_ref,
        "confidence": item.confidence,
        "human": item.human,
        "job_name": item.job_name,
        "image_verbatim": sample.image.verbatim if sample.image else None,
    }


def _line(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()
