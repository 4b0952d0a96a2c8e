"""CVAT for images 1.1: one XML file with every mask, to be uploaded as annotations of a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import numpy.typing as npt

from ..classes import IGNORE
from ..counts import class_counts
from ..decode import MaskArray
from .base import File, Format, Record, Records, Sample, json_bytes


class CvatFormat(Format):
    """`images/`, `annotations.xml` and `labels.json`, which CVAT's label editor takes under "Raw".

    A mask is exact, holes included: run lengths over the rows of its box. CVAT's other way, "Segmentation
    mask 1.1", with `SegmentationClass` and `labelmap.txt`, is the format `voc`.
    """

    name = "cvat"
    is_xml = True

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """The images."""
        for sample in samples:
            if sample.image is not None:
                yield f"images/{_file(sample)}", sample.image.data

    def record(self, sample: Sample) -> Record:
        """The `<image>` element, without its number."""
        height, width = sample.mask.shape
        masks = "".join(
            f'<mask label={quoteattr(self.labels.by_id[i])} source="manual" occluded="0" {text}></mask>'
            for i, text in _masks(sample.mask)
            if i not in (self.labels.background, IGNORE)
        )
        head = f"name={quoteattr(_file(sample))}"
        if sample.split:
            # A subset is named in CVAT's words: Train, Validation, Test.
            head += f" subset={quoteattr(sample.split.capitalize())}"
        return {"image": f'{head} width="{width}" height="{height}">{masks}</image>\n'}

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """The annotations and the labels."""
        colors = {n: self.labels.colors[self.labels.ids[n]] for n in self.labels.names}
        yield "annotations.xml", self._document(records, colors)
        labels = [{"name": n, "color": c, "type": "mask", "attributes": []} for n, c in colors.items()]
        yield "labels.json", [json_bytes(labels)]

    def _document(self, records: Records, colors: dict[str, str]) -> Iterator[bytes]:
        labels = "".join(
            f"<label><name>{escape(name)}</name><color>{color}</color><type>mask</type>"
            "<attributes></attributes></label>\n"
            for name, color in colors.items()
        )
        yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
        yield f"<meta><task><labels>\n{labels}</labels></task></meta>\n".encode()
        for number, record in enumerate(records()):
            yield f'<image id="{number}" {record["image"]}'.encode()
        yield b"</annotations>\n"


def _masks(mask: MaskArray) -> Iterator[tuple[int, str]]:
    """Class id → the attributes of its `<mask>`: box, and run lengths that begin with pixels outside."""
    for class_id in class_counts(mask):
        region = mask == class_id
        rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
        top, left = int(rows[0]), int(columns[0])
        part = region[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
        counts = ", ".join(map(str, row_runs(part).tolist()))
        height, width = part.shape
        yield (
            class_id,
            f'rle="{counts}" left="{left}" top="{top}" width="{width}" height="{height}" z_order="0"',
        )


def row_runs(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Run lengths of a region row by row, in turn outside and inside, outside first."""
    flat = np.concatenate(([False], region.ravel()))
    borders = np.flatnonzero(flat[1:] != flat[:-1])
    counts: npt.NDArray[np.int64] = np.diff(np.concatenate(([0], borders, [region.size])))
    return counts


def _file(sample: Sample) -> str:
    return f"{sample.name}{sample.image.suffix if sample.image else '.jpg'}"
