"""Formats with a file for each image: index PNGs, NumPy arrays, Pascal VOC, SageMaker's channels."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..classes import LabelList
from ..context import load_image
from ..errors import ExportError
from ..limits import DEFAULT_LIMITS
from .base import File, Format, Record, Records, Sample, folder, json_bytes
from .png import index_png


class PngFormat(Format):
    """`masks/<name>.png` whose pixel values are class ids, and `images/<name>.<ext>`."""

    name = "png"

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """One mask and one image a sample."""
        for sample in samples:
            yield folder(sample.split, f"masks/{sample.name}.png"), index_png(sample.mask, self.labels)
            if sample.image is not None:
                name = f"images/{sample.name}{sample.image.suffix}"
                yield folder(sample.split, name), sample.image.data


class NumpyFormat(Format):
    """`masks/<name>.npy` (height, width) and `images/<name>.npy` (height, width, 3), for memory mapping."""

    name = "numpy"

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """One or two arrays a sample."""
        for sample in samples:
            yield folder(sample.split, f"masks/{sample.name}.npy"), _npy(sample.mask)
            if sample.image is not None:
                image = load_image(sample.image.data, name=sample.name, limits=DEFAULT_LIMITS)
                yield folder(sample.split, f"images/{sample.name}.npy"), _npy(np.asarray(image))


class VocFormat(Format):
    """Pascal VOC's tree, as `torchvision.datasets.VOCSegmentation(root, year="2012")` reads it.

    `VOCdevkit/VOC2012/`, with its `labelmap.txt`, is also what Datumaro calls `voc` and CVAT "Segmentation
    mask 1.1"; the colours in it are the palette's.
    """

    name = "voc"
    jpeg_only = True
    needs_images = True
    is_narrow = True
    root: ClassVar[str] = "VOCdevkit/VOC2012"
    lists: ClassVar[dict[str, str]] = {"validation": "val"}

    def check_classes(self) -> None:
        """Names and colours have to fit into `labelmap.txt`, too."""
        super().check_classes()
        labelmap(self.labels)

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """A JPEG and a palette PNG a sample."""
        for sample in samples:
            assert sample.image is not None
            mask = index_png(sample.mask, self.labels)
            yield f"{self.root}/SegmentationClass/{sample.name}.png", mask
            yield f"{self.root}/JPEGImages/{sample.name}.jpg", sample.image.data

    def record(self, sample: Sample) -> Record:
        """Name and split, for the image sets."""
        return {"name": sample.name, "split": sample.split}

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """`ImageSets/Segmentation/{train,val,test,trainval}.txt` and the class names by id."""
        base = f"{self.root}/ImageSets/Segmentation"
        for split in splits:
            # Without a split everything is there to train on.
            name = self.lists.get(split, split) or "train"
            yield f"{base}/{name}.txt", _names(records, (split,))
        yield f"{base}/trainval.txt", _names(records, tuple(s for s in splits if s != "test"))
        classes = "".join(f"{i} {name}\n" for i, name in self.labels.by_id.items())
        yield f"{self.root}/classes.txt", [classes.encode()]
        yield f"{self.root}/labelmap.txt", [labelmap(self.labels).encode()]


class SageMakerFormat(Format):
    """The channels of SageMaker's built-in semantic segmentation algorithm.

    Source: Developer Guide, "Input/Output Interface for the Semantic Segmentation Algorithm": `train`,
    `train_annotation`, `validation`, `validation_annotation`, and a label map for each annotation channel.
    """

    name = "sagemaker"
    jpeg_only = True
    needs_images = True
    is_narrow = True
    default_split = {"train": 0.8, "validation": 0.2}  # noqa: RUF012
    required_splits = ("train", "validation")

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """A JPEG and a PNG of the same name a sample."""
        for sample in samples:
            assert sample.image is not None
            yield f"{sample.split}/{sample.name}.jpg", sample.image.data
            mask = index_png(sample.mask, self.labels)
            yield f"{sample.split}_annotation/{sample.name}.png", mask

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """`label_map/<split>_label_map.json`: pixel values are the label indices."""
        for split in splits:
            yield f"label_map/{split}_label_map.json", [json_bytes({"scale": "1"})]


def labelmap(labels: LabelList) -> str:
    """`name:r,g,b:parts:actions` lines, the background first, as CVAT and Datumaro look for them.

    Raises:
        ExportError: A name has a character that the file gives a meaning to.
    """
    wrong = [name for name in labels.names if any(c in name for c in ":#\r\n") or name == "background"]
    if wrong:
        raise ExportError(
            f"labelmap.txt cannot hold ':', '#', a line end or another 'background': {wrong!r}; use another "
            "format"
        )
    names = {labels.background: "background", **{labels.ids[name]: name for name in labels.names}}
    rows = [f"{names[i]}:{','.join(map(str, bytes.fromhex(labels.colors[i][1:])))}::" for i in names]
    return "\n".join(["# label:color_rgb:parts:actions", *rows, ""])


def _npy(array: npt.NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _names(records: Records, splits: tuple[str, ...]) -> Iterator[bytes]:
    for record in records():
        if record["split"] in splits:
            yield f"{record['name']}\n".encode()
