"""What an export format says about itself."""

from __future__ import annotations

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..align import ImageFile
from ..classes import LabelList
from ..decode import MaskArray
from ..errors import ExportError
from ..item import Item

File = tuple[str, bytes]
"""A name below the target, `/`-separated, and its content."""

Record = dict[str, Any]
Records = Callable[[], Iterator[Record]]
"""Starts a new pass over the records of all samples, in the manifest's order within each split."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One labeled object, decoded.

    Attributes:
        item: The line it came from.
        split: `train`, `validation`, `test`, or "" without a split.
        mask: Class ids.
        image: The image, or None when images are left out.
    """

    item: Item
    split: str
    mask: MaskArray = field(repr=False)
    image: ImageFile | None

    @property
    def name(self) -> str:
        """File name without extension."""
        return self.item.name


class Format(ABC):
    """A layout that training code reads.

    `files` and `record` run on worker threads, once for each batch; `finish` runs once, at the end, and sees
    all records again, also those of an earlier, interrupted run.
    """

    name: ClassVar[str]
    jpeg_only: ClassVar[bool] = False
    batch: ClassVar[int] = 1
    default_split: ClassVar[dict[str, float] | None] = None
    required_splits: ClassVar[tuple[str, ...]] = ()
    needs_images: ClassVar[bool] = False
    has_regions: ClassVar[bool] = False
    #: Whether class names are written into XML, which can't hold all of them.
    is_xml: ClassVar[bool] = False
    #: Whether ids are written into pictures of 8 bits.
    is_narrow: ClassVar[bool] = False

    def __init__(self, labels: LabelList) -> None:
        self.labels = labels
        #: Whether each region of connected pixels is told apart, where `has_regions`.
        self.regions = False

    def check_classes(self) -> None:
        """Called before anything is written.

        Raises:
            ExportError: The layout can't hold these classes.
        """
        if self.is_xml:
            _refuse_no_xml(self)
        if self.is_narrow and self.labels.dtype.itemsize > 1:
            raise ExportError(
                f"format {self.name!r} holds 8-bit ids, {len(self.labels)} classes need 16; "
                "use 'png' or 'numpy'"
            )

    @abstractmethod
    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """The files of a batch; `number` counts the batches of a split."""

    def record(self, sample: Sample) -> Record:
        """What `finish` needs of a sample, as JSON."""
        return {}

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """Index files: name, and content in pieces so that it need not fit into memory."""
        return ()


#: What takes the place of a split's name where a layout needs one and there is no split; Datumaro's word.
WHOLE = "default"


def folder(split: str, name: str) -> str:
    """`split/name`, or `name` without a split."""
    return f"{split}/{name}" if split else name


# What XML 1.0 has no way to write, not even as a reference (its section 2.2).
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _refuse_no_xml(layout: Format) -> None:
    wrong = [name for name in layout.labels.names if _NO_XML.search(name)]
    if wrong:
        raise ExportError(
            f"format {layout.name!r} is XML, which cannot hold the class {wrong[0]!r}; use another format, "
            "or `relabel`"
        )


#: The class list that every export has at its top.
CLASS_LIST = "classes.csv"


def class_list(labels: LabelList) -> bytes:
    """Id, name and colour of every class, the background included, as CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "name", "color"))
    rows.writerows((i, name, labels.colors[i]) for i, name in labels.by_id.items())
    return text.getvalue().encode()


def json_bytes(value: Any) -> bytes:
    """JSON with a line end, readable."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
