"""COCO: one annotation for each class in each image, as run lengths or polygons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..classes import IGNORE
from .base import File, Format, Record, Records, Sample
from .polygons import polygons
from .rle import ClassRuns, class_runs, compress


class CocoFormat(Format):
    """`images/` and `annotations.json` (`<split>/` and `annotations/<split>.json` with a split).

    Category ids are the class ids. The background has no annotation, nor has 255. Ground Truth's masks do not
    tell instances apart, so all pixels of a class in an image are one annotation.
    """

    name = "coco"

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """The images."""
        for sample in samples:
            if sample.image is not None:
                yield f"{sample.split or 'images'}/{sample.name}{sample.image.suffix}", sample.image.data

    def record(self, sample: Sample) -> Record:
        """The image's entry and its annotations, still without ids."""
        height, width = sample.mask.shape
        return {
            "split": sample.split,
            "image": {
                "id": sample.item.index + 1,
                "file_name": f"{sample.name}{sample.image.suffix if sample.image else '.jpg'}",
                "width": width,
                "height": height,
                "source_ref": sample.item.source_ref,
            },
            "annotations": [
                self._annotation(sample, runs)
                for runs in class_runs(sample.mask)
                if runs.id not in (self.labels.background, IGNORE)
            ],
        }

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """The annotation files."""
        for split in splits:
            yield f"annotations/{split}.json" if split else "annotations.json", self._document(records, split)

    def segmentation(self, sample: Sample, runs: ClassRuns) -> Any:
        """The `segmentation` of one class: compressed run lengths."""
        return {"size": list(sample.mask.shape), "counts": compress(runs.counts)}

    def _annotation(self, sample: Sample, runs: ClassRuns) -> Record:
        return {
            "image_id": sample.item.index + 1,
            "category_id": runs.id,
            "segmentation": self.segmentation(sample, runs),
            "area": runs.area,
            "bbox": list(runs.bbox),
            "iscrowd": 0,
        }

    def _document(self, records: Records, split: str) -> Iterator[bytes]:
        categories = [{"id": self.labels.ids[n], "name": n, "supercategory": ""} for n in self.labels.names]
        yield b'{"info": {"description": "ground-truth-labels"},\n"licenses": [],\n"categories": '
        yield _compact(categories)
        yield b',\n"images": ['
        yield from _joined(r["image"] for r in records() if r["split"] == split)
        yield b'],\n"annotations": ['
        entries = (a for r in records() if r["split"] == split for a in r["annotations"])
        yield from _joined({"id": i, **annotation} for i, annotation in enumerate(entries, 1))
        yield b"]}\n"


class CocoPolygonFormat(CocoFormat):
    """`coco` with polygons in place of run lengths; they give the mask back pixel by pixel."""

    name = "coco-polygons"

    def segmentation(self, sample: Sample, runs: ClassRuns) -> Any:
        """The `segmentation` of one class: polygons along pixel borders."""
        left, top, width, height = runs.bbox
        part = sample.mask[top : top + height, left : left + width] == runs.id
        shift = np.array([left, top])
        return [(np.reshape(ring, (-1, 2)) + shift).ravel().tolist() for ring in polygons(part)]


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _joined(values: Iterable[Any]) -> Iterator[bytes]:
    for i, value in enumerate(values):
        yield (b",\n" if i else b"\n") + _compact(value)
