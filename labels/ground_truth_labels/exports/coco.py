"""COCO: one annotation for each class or region in each image, as run lengths or polygons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..classes import IGNORE
from .base import WHOLE, File, Format, Record, Records, Sample
from .polygons import Polygon, class_polygons
from .regions import region_runs
from .rle import ClassRuns, class_runs, compress


class CocoFormat(Format):
    """`images/<split>/` and `annotations/instances_<split>.json`; without a split it is called `default`.

    These are the names that Datumaro and CVAT look for. Category ids are the class ids. The background has no
    annotation, nor has 255. Ground Truth's masks do not tell instances apart, so all pixels of a class in an
    image are one annotation; with `regions`, those of each region of connected pixels.
    """

    name = "coco"
    has_regions = True

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """The images."""
        for sample in samples:
            if sample.image is not None:
                yield (
                    f"images/{sample.split or WHOLE}/{sample.name}{sample.image.suffix}",
                    sample.image.data,
                )

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
            "annotations": self._annotations(sample),
        }

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """The annotation files."""
        for split in splits:
            yield f"annotations/instances_{split or WHOLE}.json", self._document(records, split)

    def segmentations(self, sample: Sample, runs: list[ClassRuns]) -> list[Any]:
        """The `segmentation` of each class: compressed run lengths."""
        return [{"size": list(sample.mask.shape), "counts": compress(r.counts)} for r in runs]

    def _annotations(self, sample: Sample) -> list[Record]:
        left_out = (self.labels.background, IGNORE)
        found = region_runs if self.regions else class_runs
        runs = [r for r in found(sample.mask) if r.id not in left_out]
        return [
            {
                "image_id": sample.item.index + 1,
                "category_id": r.id,
                "segmentation": segmentation,
                "area": r.area,
                "bbox": list(r.bbox),
                "iscrowd": 0,
            }
            for r, segmentation in zip(runs, self.segmentations(sample, runs), strict=True)
        ]

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
    """`coco` with polygons in place of run lengths, from which pycocotools gives back every pixel.

    Programs that draw polygons by OpenCV or Pillow also fill the line, and widen each region by a pixel at
    its right and lower side: for these there are `coco` and `yolo-seg`.
    """

    name = "coco-polygons"

    def segmentations(self, sample: Sample, runs: list[ClassRuns]) -> list[Any]:
        """The `segmentation` of each class or region: polygons along pixel borders."""
        found = class_polygons(sample.mask, [r.id for r in runs])
        if not self.regions:
            return [found[r.id] for r in runs]
        # Each polygon is a region, and begins to count where the region does: at its leftmost, topmost pixel.
        return [[polygon] for class_id in found for polygon in sorted(found[class_id], key=_corner)]


def _corner(polygon: Polygon) -> tuple[int, int]:
    return min(zip(polygon[::2], polygon[1::2], strict=True))


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _joined(values: Iterable[Any]) -> Iterator[bytes]:
    for i, value in enumerate(values):
        yield (b",\n" if i else b"\n") + _compact(value)
