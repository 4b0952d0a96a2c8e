"""CVAT's exports: "CVAT for images 1.1" and "Segmentation mask 1.1"."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from xml.etree import ElementTree

import numpy as np

from ..colormap import ColorTable
from ..decode import MaskArray, decode_mask
from ..errors import ManifestError
from .source import Drawing, Source, check_size, empty_mask


def read_images(source: Source, name: str) -> Iterator[Drawing]:
    """The images of an `annotations.xml`, one after the other; of masks that overlap the upper one counts."""
    where = f"{source.location}: {name}"
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(source.read(name)), events=("end",)):
            if element.tag == "track":
                raise ManifestError(
                    f"{where}: has tracks, as 'CVAT for video 1.1' has; export as 'CVAT for images 1.1'"
                )
            if element.tag == "image":
                yield _image(element, where, source)
                element.clear()
    except (ElementTree.ParseError, LookupError) as error:
        raise ManifestError(f"{where}: must be CVAT's XML: {error}") from error


def _image(element: ElementTree.Element, where: str, source: Source) -> Drawing:
    name = element.get("name", "")
    where = f"{where}, image {name!r}"
    width, height = _number(element, "width", where), _number(element, "height", where)
    check_size(width, height, where, source.limits)
    drawn = [shape.tag for shape in element if shape.tag not in ("mask", "tag")]
    if drawn:
        raise ManifestError(
            f"{where}: has {', '.join(sorted(set(drawn)))}, whose pixels depend on who draws them; "
            "export the task as 'Segmentation mask 1.1', which CVAT draws itself"
        )
    shapes = sorted(element.iter("mask"), key=lambda shape: _number(shape, "z_order", where, missing="0"))
    classes = tuple(dict.fromkeys(shape.get("label", "") for shape in shapes))
    mask = empty_mask((height, width), classes)
    for shape in shapes:
        _paint(mask, shape, classes.index(shape.get("label", "")) + 1, where)
    return Drawing(where=where, names=(name, PurePosixPath(name).name), mask=mask, classes=classes)


def _paint(mask: MaskArray, shape: ElementTree.Element, number: int, where: str) -> None:
    left, top, width, height = (_number(shape, key, where) for key in ("left", "top", "width", "height"))
    part = mask[top : top + height, left : left + width]
    try:
        counts = [int(v) for v in (shape.get("rle") or "").split(",") if v.strip()]
    except ValueError as error:
        raise ManifestError(f"{where}: 'rle' must be whole numbers: {error}") from error
    if left < 0 or top < 0 or part.shape != (height, width) or min(counts, default=0) < 0:
        raise ManifestError(f"{where}: a mask lies outside the image, or has a negative run")
    if sum(counts) > part.size:
        raise ManifestError(f"{where}: 'rle' has more pixels than its box, {part.size:,}")
    inside = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    region = np.zeros(part.size, bool)
    region[: inside.size] = inside
    part[region.reshape(part.shape)] = number


def _number(element: ElementTree.Element, key: str, where: str, *, missing: str = "") -> int:
    text = element.get(key, missing)
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ManifestError(f"{where}: {key!r} must be a whole number, got {text!r}")
    return int(text)


def read_masks(source: Source, listed: str) -> Iterator[Drawing]:
    """The `SegmentationClass` masks beside a `labelmap.txt`, by colour."""
    classes, colors = _labelmap(source, listed)
    table = ColorTable(tuple(sorted(colors.items())), 0, len(classes) > 254)
    for name in source.names(".png"):
        if PurePosixPath(name).parent.name != "SegmentationClass":
            continue
        where = f"{source.location}: {name}"
        mask = decode_mask(source.read(name), table, name=where, limits=source.limits)
        yield Drawing(where=where, names=(PurePosixPath(name).stem,), mask=mask, classes=classes)


def _labelmap(source: Source, name: str) -> tuple[tuple[str, ...], dict[int, int]]:
    """Class names, and colour (`0xRRGGBB`) → number, 0 for the background."""
    classes: list[str] = []
    colors: dict[int, int] = {}
    text = source.read(name).decode("utf-8-sig", "replace")
    lines = [
        (number, *line.partition(":")[::2])
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1)
        if line.strip() and not line.startswith("#")
    ]
    # As CVAT writes it; in another spelling it is a class if this one is there, too.
    nobody = "background" if any(label == "background" for _, label, _ in lines) else None
    for number, label, rest in lines:
        parts = rest.partition(":")[0].split(",")
        if len(parts) != 3 or not all(p.strip().isdecimal() and int(p) < 256 for p in parts):
            got = f"{label}:{rest}"[:80]
            raise ManifestError(
                f"{source.location}: {name}, line {number}: must be name:red,green,blue::, got {got!r}"
            )
        red, green, blue = map(int, parts)
        if label == nobody or (nobody is None and label.lower() == "background"):
            meant = 0
        else:
            classes.append(label)
            meant = len(classes)
        if colors.setdefault(red << 16 | green << 8 | blue, meant) != meant:
            raise ManifestError(f"{source.location}: {name}, line {number}: has a colour for the second time")
    return tuple(classes), colors
