"""Label Studio's JSON export, with brush masks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from ..errors import ManifestError
from ..exports.brush import decode
from .source import Drawing, Source, check_size, empty_mask

_CHANNELS = 4
#: Regions whose pixels depend on who draws them (Label Studio's documentation, "Tags").
_SHAPES = re.compile(r"(rectangle|ellipse|polygon|keypoint|vector|bitmask)(labels)?|brush")


def is_label_studio(data: bytes) -> bool:
    """Whether a JSON file is a list of tasks."""
    try:
        tasks = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(tasks, list) and all(
        isinstance(task, Mapping) and isinstance(task.get("data"), Mapping) for task in tasks
    )


def read_tasks(source: Source, name: str) -> Iterator[Drawing]:
    """The tasks that somebody annotated, by their latest annotation, or else the prediction they came with.

    Tasks with neither are left out. Of brushes that overlap the later one counts, as it lies on top.
    """
    for number, task in enumerate(json.loads(source.read(name)), 1):
        where = f"{source.location}: {name}, task {task.get('id', number)}"
        found = _result(task, where)
        if found is not None:
            yield _drawing(task["data"], found, where, source)


def _result(task: Mapping[str, Any], where: str) -> list[Mapping[str, Any]] | None:
    done = [a for a in _entries(task, "annotations", where) if not a.get("was_cancelled")]
    entries = done or _entries(task, "predictions", where)
    if not entries:
        return None
    latest = max(entries, key=lambda entry: str(entry.get("updated_at") or ""))
    return _entries(latest, "result", where)


def _entries(task: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    found = task.get(key) or []
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise ManifestError(f"{where}: {key!r} must be a list of objects")
    return found


def _drawing(
    data: Mapping[str, Any], regions: list[Mapping[str, Any]], where: str, source: Source
) -> Drawing:
    other = sorted({kind for r in regions if _SHAPES.fullmatch(kind := str(r.get("type")))})
    if other:
        raise ManifestError(
            f"{where}: has {', '.join(other)}, whose pixels depend on who draws them; draw with brushes"
        )
    brushes = [r for r in regions if r.get("type") == "brushlabels"]
    try:
        labels = [_label(b["value"]["brushlabels"]) for b in brushes]
        sizes = {(int(b["original_width"]), int(b["original_height"])) for b in brushes}
        codes = [bytes([*b["value"]["rle"]]) for b in brushes]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise ManifestError(
            f"{where}: a brush must have 'brushlabels', 'rle' and its image's size: {error!r}"
        ) from error
    if not brushes:
        return Drawing(where=where, names=_names(data), mask=None, classes=())
    if len(sizes) != 1:
        raise ManifestError(f"{where}: its brushes tell {len(sizes)} sizes of the image, {sorted(sizes)!r}")
    ((width, height),) = sizes
    check_size(width, height, where, source.limits)
    classes = tuple(dict.fromkeys(labels))
    mask = empty_mask((height, width), classes)
    for label, code in zip(labels, codes, strict=True):
        mask[_region(code, (height, width), where)] = classes.index(label) + 1
    return Drawing(where=where, names=_names(data), mask=mask, classes=classes)


def _label(names: Any) -> str:
    if not isinstance(names, list) or len(names) > 1:
        raise ValueError(f"'brushlabels' must be a list of one class, got {names!r}")
    return str(names[0]) if names else ""


def _region(code: bytes, shape: tuple[int, int], where: str) -> Any:
    try:
        values = decode(code)
    except ValueError as error:
        raise ManifestError(f"{where}: {error}") from error
    if values.size != _CHANNELS * shape[0] * shape[1]:
        raise ManifestError(f"{where}: a brush has {values.size:,} values, {shape[1]} x {shape[0]} pixels")
    # The last channel is opacity; a brush's edge may be soft, and its converter counts every shade.
    return values.reshape(*shape, _CHANNELS)[:, :, -1] > 0


def _names(data: Mapping[str, Any]) -> tuple[str, ...]:
    image = unquote(str(data.get("image") or ""))
    file = PurePosixPath(image.rpartition("?d=")[2] or image).name
    # An uploaded file gets eight letters and a dash before its name.
    given = [data.get("source_ref"), data.get("name"), image, file, re.sub(r"^[0-9a-f]{8}-", "", file)]
    return tuple(str(name) for name in given if name)
