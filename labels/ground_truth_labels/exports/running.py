"""One export under way: streamed, parallel, resumable."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..align import aligned_image
from ..classes import IGNORE
from ..counts import has_class
from ..errors import LabelsError
from ..item import Item
from ..manifest import Manifest
from ..parallel import ordered_map
from ..progress import Progress
from .base import CLASS_LIST, Format, Record, Sample, class_list, json_bytes
from .masks import MaskStore
from .split import by_image
from .workspace import DONE, Workspace


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


class Run:
    """An export from its plan to its last file."""

    def __init__(
        self,
        manifest: Manifest,
        target: str,
        layout: Format,
        *,
        shares: dict[str, float] | None,
        seed: int,
        images: bool,
        negatives: bool,
        skip_broken: bool,
        workers: int | None,
        progress: Progress | None,
    ) -> None:
        self.manifest, self.layout, self.shares, self.seed = manifest, layout, shares, seed
        self.images, self.negatives, self.skip_broken = images, negatives, skip_broken
        self.workers, self.progress = workers, progress
        self.space = Workspace(manifest.storage, target)
        self.masks: MaskStore | None = None

    def run(self) -> ExportResult:
        """Write what is missing; see `export`."""
        try:
            return self._run()
        finally:
            self.space.release()

    def _run(self) -> ExportResult:
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
        for part in self.manifest.parts:
            with part.storage.open(part.location) as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
        chosen = hashlib.sha256()
        for item in self.manifest.every() if self.manifest.narrowed else ():
            chosen.update(b"0" if item.state == "unchosen" else b"1")
        return {
            "manifest_sha256": digest.hexdigest(),
            "chosen_sha256": chosen.hexdigest() if self.manifest.narrowed else None,
            "attribute": self.manifest.attribute,
            "classes": {str(i): name for i, name in self.layout.labels.by_id.items()},
            "background": self.layout.labels.background,
            "merged": dict(self.layout.labels.merged),
            "unknown": self.manifest.context.unknown,
            "alpha": self.manifest.context.alpha,
            "orientation": self.manifest.context.orientation,
            "format": self.layout.name,
            "split": self.shares,
            "seed": self.seed,
            "images": self.images,
            "negatives": self.negatives,
            "regions": self.layout.regions,
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
        assert self.masks is not None and item.context is not None
        try:
            ids = self.masks.put(item.index, item.mask())
        except LabelsError:
            if self.skip_broken:
                return None
            raise
        present = ids - {self.layout.labels.background}
        # What will be left out must not fill a place in a split.
        return (
            (item.index, item.context.identity(item), present)
            if self.negatives or present - {IGNORE}
            else None
        )

    def _batches(self, splits: dict[int, str] | None) -> Iterator[_Batch]:
        """Groups of items for one split each, in an order that depends on manifest and options alone."""
        only = next(iter(self.shares)) if self.shares else ""
        open_items: dict[str, list[Item]] = {}
        numbers: Counter[str] = Counter()
        for item in self.manifest.every():
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
                reason, state = item.failure or item.state, item.state
                if item.state == "labeled":
                    sample = self._sample(item, batch.split)
                    if self.negatives or has_class(sample.mask, self.layout.labels):
                        samples.append(sample)
                        continue
                    reason, state = "its mask is background all over", "background-only"
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
            "samples": [{"source": self._source(s), "record": self.layout.record(s)} for s in samples],
        }

    def _sample(self, item: Item, split: str) -> Sample:
        kept = self.masks.take(item.index) if self.masks is not None else None
        mask = item.mask() if kept is None else kept
        height, width = mask.shape
        image = aligned_image(item, (height, width), jpeg=self.layout.jpeg_only) if self.images else None
        return Sample(item=item, split=split, mask=mask, image=image)

    def _source(self, sample: Sample) -> Record:
        item = sample.item
        source = {
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
        if len(self.manifest.parts) > 1:
            source["manifest"] = item.location
        return source

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


def _line(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()
