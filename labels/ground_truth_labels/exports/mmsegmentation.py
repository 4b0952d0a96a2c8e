"""Layouts of two public sets that MMSegmentation and others have readers for: Cityscapes and ADE20K.

The masks are grey, as in these sets: OpenCV makes colours of a palette.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import ClassVar

from PIL import Image

from ..errors import ExportError
from .base import File, Format, Records, Sample
from .png import index_png


class CityscapesFormat(Format):
    """`leftImg8bit/<split>/all/` and `gtFine/<split>/all/`; the splits are `train`, `val` and `test`.

    Pixel values are the class ids, in `…_gtFine_labelIds.png` and in `…_gtFine_labelTrainIds.png` alike.
    Readers take PNG only: other images are decoded and written anew, their pixels unchanged. Datumaro takes
    the classes from `label_colors.txt`.
    """

    name = "cityscapes"
    needs_images = True
    is_narrow = True
    default_split = {"train": 1.0}  # noqa: RUF012
    folders: ClassVar[dict[str, str]] = {"validation": "val"}

    def check_classes(self) -> None:
        """Names have to stay apart in `label_colors.txt`, too."""
        super().check_classes()
        names, written = self._names(), dict[str, int]()
        for i, name in names.items():
            other = written.setdefault("_".join(name.split()), i)
            if other != i or not name.split():
                raise ExportError(
                    f"label_colors.txt has spaces as '_' and can't tell {names[other]!r} from {name!r}; use"
                    " another format, or `relabel`"
                )

    def _names(self) -> dict[int, str]:
        """A name for each id from 0 on."""
        names = self.labels.by_id
        return {i: names.get(i, f"unused-{i}") for i in range(max(names) + 1)}

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """An image and its mask, under two names, a sample."""
        for sample in samples:
            assert sample.image is not None
            split = self.folders.get(sample.split, sample.split)
            yield f"leftImg8bit/{split}/all/{sample.name}_leftImg8bit.png", _png(sample)
            mask = index_png(sample.mask, None)
            for kind in ("labelIds", "labelTrainIds"):
                yield f"gtFine/{split}/all/{sample.name}_gtFine_{kind}.png", mask

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """`label_colors.txt`: a line for each id from 0 on, with the colour and the name, spaces as `_`."""
        rows = []
        for i, name in self._names().items():
            color = bytes.fromhex(self.labels.colors.get(i, "#000000")[1:])
            rows.append(f"{color[0]} {color[1]} {color[2]} {'_'.join(name.split())}\n")
        yield "label_colors.txt", ["".join(rows).encode()]


class Ade20kFormat(Format):
    """`images/<split>/` and `annotations/<split>/`; the splits are `training`, `validation` and `test`.

    Pixel values are the class ids: 0 for the background, which MMSegmentation's `reduce_zero_label=True`
    turns into 255, and the classes into 0, 1, …
    """

    name = "ade20k"
    jpeg_only = True
    needs_images = True
    is_narrow = True
    default_split = {"train": 1.0}  # noqa: RUF012
    folders: ClassVar[dict[str, str]] = {"train": "training"}

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """A JPEG and a PNG a sample."""
        for sample in samples:
            assert sample.image is not None
            split = self.folders.get(sample.split, sample.split)
            yield f"images/{split}/{sample.name}.jpg", sample.image.data
            yield f"annotations/{split}/{sample.name}.png", index_png(sample.mask, None)


def _png(sample: Sample) -> bytes:
    assert sample.image is not None
    if sample.image.suffix == ".png":
        return sample.image.data
    with Image.open(io.BytesIO(sample.image.data)) as image:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
