"""YOLO's segmentation format: a text file of polygons for each image."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np

from .base import File, Format, Records, Sample
from .polygons import class_polygons

_FOLDERS = {"": "train", "validation": "val"}


class YoloSegFormat(Format):
    """`images/<split>/`, `labels/<split>/<name>.txt` and `data.yaml`; splits are `train`, `val` and `test`.

    A line is `class x y x y …`, one for each part of a class. The polygon runs through the centres of the
    outermost pixels, because these programs fill it with OpenCV's `fillPoly`, which fills the line as well:
    so filled it is exact, holes included. Class numbers are positions in the list of classes, from 0.
    """

    name = "yolo-seg"

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """An image and its polygons a sample."""
        for sample in samples:
            split = _FOLDERS.get(sample.split, sample.split)
            if sample.image is not None:
                yield f"images/{split}/{sample.name}{sample.image.suffix}", sample.image.data
            yield f"labels/{split}/{sample.name}.txt", "".join(self._lines(sample)).encode()

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """`data.yaml`; JSON is YAML, and quotes every name."""
        folders = {f: f"images/{f}" for f in (_FOLDERS.get(split, split) for split in splits)}
        # The trainer wants both: without a split it validates on what it trains on.
        folders.setdefault("val", folders.get("train", ""))
        names = "".join(
            f"  {i}: {json.dumps(name, ensure_ascii=False)}\n" for i, name in enumerate(self.labels.names)
        )
        lines = "".join(f"{name}: {folder}\n" for name, folder in folders.items() if folder)
        yield "data.yaml", [f"{lines}nc: {len(self.labels.names)}\nnames:\n{names}".encode()]

    def _lines(self, sample: Sample) -> Iterator[str]:
        height, width = sample.mask.shape
        found = class_polygons(sample.mask, self.labels.by_id.keys() - {self.labels.background}, centres=True)
        positions = {self.labels.ids[name]: i for i, name in enumerate(self.labels.names)}
        for class_id, polygons in found.items():
            for polygon in polygons:
                points = np.array(polygon, float).reshape(-1, 2)
                # Fewer than three points count as a box; a pixel or a line is drawn over again.
                points = np.concatenate((points, np.repeat(points[-1:], max(0, 3 - len(points)), 0)))
                # The point is a quarter of a pixel in: cut off or rounded, the reader's number is the
                # pixel's own.
                scaled = (points + 0.25) / (width, height)
                yield f"{positions[class_id]} {' '.join(f'{v:.7g}' for v in scaled.ravel().tolist())}\n"
