"""From another tool's labels to an output manifest as the service writes it."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal, cast

import numpy as np

from .._copies import json_text, refuse_unless_empty
from .._painting import color_map_of, colors_of, mask_png
from ..align import image_header
from ..classes import LabelList
from ..decode import MaskArray
from ..errors import ExportError, ManifestError
from ..manifest import Manifest
from ..names import check_attribute
from ..parallel import ordered_map
from ..parse import SEGMENTATION
from ..progress import Progress, tracked
from ..storage import is_s3, join
from .cvat import read_images, read_masks
from .label_studio import is_label_studio, read_tasks
from .source import Drawing, Source

_MASKS = "annotations/consolidated-annotation/output"
_MANIFEST = "manifests/output/output.manifest"


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What an import wrote.

    Attributes:
        manifest: The output manifest.
        attribute: The label attribute in it.
        imported: Images that got a label from the source.
        empty: Images on which nothing is drawn in the source.
        kept: Images that had a label already, which is still theirs.
        unlabeled: Images without a label.
    """

    manifest: str
    attribute: str
    imported: int
    empty: int
    kept: int
    unlabeled: int


def import_labels(
    manifest: Manifest,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    attribute: str | None = None,
    job_name: str = "imported",
    uri: str | None = None,
    empty: Literal["unlabeled", "background"] = "unlabeled",
    workers: int | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Write the labels of a CVAT or Label Studio export as a job's output: masks, and an output manifest.

    The source is CVAT's "CVAT for images 1.1" (masks) or "Segmentation mask 1.1", or Label Studio's JSON
    (brushes), as a folder, a zip or a file; its images are found by the names that `export` gave them, or by
    their own.

    Args:
        manifest: The images, and the classes if it has or was given any. An input manifest will do.
        source: What the tool exported.
        target: A new or empty folder or S3 prefix: the folder of the job.
        attribute: The label attribute. Default: the manifest's, or `label-ref`.
        job_name: What `job-name` says. Default: `imported`.
        uri: The S3 prefix at which `target` will lie, if it is a folder: masks are referred to there.
            Default: the target; in a folder references are relative, which the service doesn't take, and
            which start from the folder: read it by the folder's name.
        empty: Whether an image on which nothing is drawn is `background` all over, or nobody was there yet:
            the files don't tell. Default: nobody was there; its line stays as it is.
        workers: Threads. Default: one a core.
        progress: Called with the number of images done and None.

    Raises:
        ExportError: The target is not empty, or a name is not legal.
        LabelsError: The source can't be read, or names an image or a class that the manifest doesn't have.
    """
    target, source = os.fspath(target), os.fspath(source)
    manifest.require_plain("import")
    storage = manifest.storage
    attribute = attribute or manifest.attribute or "label-ref"
    _check_names(attribute, job_name, uri)
    refuse_unless_empty(storage, target, "choose an empty target")
    images = _Images(manifest)
    base = uri or (target if is_s3(target) else "")
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    labels = manifest.labels if len(manifest.labels) else _labels_of(source, manifest)
    colors = colors_of(labels)

    def write(drawing: Drawing) -> tuple[int, str | None, str]:
        index = images.find(drawing)
        if drawing.mask is None or not drawing.mask.any():
            if empty == "unlabeled":
                return index, None, drawing.where
            if drawing.mask is None:
                drawing = replace(drawing, mask=images.blank(index, drawing.where))
        name = f"{_MASKS}/{index}_{now}.png"
        storage.write(join(target, *name.split("/")), mask_png(_positions(drawing, labels), colors))
        return index, f"{base.rstrip('/')}/{name}" if base else name, drawing.where

    found: dict[int, str] = {}
    seen: dict[int, str] = {}
    results = ordered_map(write, _drawings(source, manifest), workers=workers)
    for index, reference, where in tracked(results, progress, None):
        if index in seen:
            raise ManifestError(f"{where}: is the same image as {seen[index]}")
        seen[index] = where
        if reference is not None:
            found[index] = reference
    metadata = {
        "internal-color-map": color_map_of(labels),
        "type": SEGMENTATION,
        "human-annotated": "yes",
        "creation-date": now,
        "job-name": f"labeling-job/{job_name}",
    }
    counts = {"imported": len(found), "empty": len(seen) - len(found), "kept": 0, "unlabeled": 0}

    def lines() -> Iterator[bytes]:
        for item in manifest:
            line = json.loads(item.raw)
            if item.index in found:
                line[attribute], line[f"{attribute}-metadata"] = found[item.index], metadata
            else:
                counts["kept" if attribute in line else "unlabeled"] += 1
            yield (json_text(line) + "\n").encode()

    location = join(target, *_MANIFEST.split("/"))
    storage.write_stream(location, lines())
    return ImportResult(manifest=location, attribute=attribute, **counts)


def _check_names(attribute: str, job_name: str, uri: str | None) -> None:
    check_attribute(attribute)
    # The pattern is that of `LabelingJobName` in botocore's model.
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", job_name):
        raise ExportError(f"job_name must be up to 63 letters, digits and '-', got {job_name!r}")
    if uri is not None and not is_s3(uri):
        raise ExportError(f"uri must be the s3:// prefix at which the target will lie, got {uri!r}")


def _drawings(location: str, manifest: Manifest) -> Iterator[Drawing]:
    source = Source(location, manifest.storage.limits)
    listed = source.files("labelmap.txt")
    if len(listed) > 1:
        raise ManifestError(f"{location}: holds several exports: {', '.join(listed[:2])}; import each alone")
    if listed:
        return read_masks(source, listed[0])
    for name in source.names(".xml"):
        if b"<annotations" in source.read(name)[:4096]:
            return read_images(source, name)
    for name in source.names(".json"):
        if is_label_studio(source.read(name)):
            return read_tasks(source, name)
    raise ManifestError(
        f"{location}: holds no labels that can be imported; there must be CVAT's annotations.xml, CVAT's "
        "labelmap.txt with SegmentationClass/, or Label Studio's JSON"
    )


def _labels_of(source: str, manifest: Manifest) -> LabelList:
    """The classes met in the source, sorted, if the manifest has none."""
    names = {name for drawing in _drawings(source, manifest) for name in drawing.classes}
    return LabelList(tuple(sorted(names)), origin=source)


class _Images:
    """The manifest's objects by all that may name them."""

    def __init__(self, manifest: Manifest) -> None:
        self._where = manifest.location
        self._context = manifest.context
        self._known: dict[str, set[int]] = {}
        self._references: list[str] = []
        for item in manifest:
            self._references.append(item.source_ref)
            parts = PurePosixPath(item.source_ref).parts
            # CVAT keeps folders in names, so each end of the path may be one.
            ends = ("/".join(parts[begin:]) for begin in range(1, len(parts)))
            for name in {item.source_ref, item.name, *ends, _bare(PurePosixPath(item.source_ref).name)}:
                self._known.setdefault(name, set()).add(item.index)

    def find(self, drawing: Drawing) -> int:
        """The object's number."""
        for name in drawing.names:
            for candidate in (name, _bare(PurePosixPath(name).name)):
                found = self._known.get(candidate, set())
                if len(found) == 1:
                    return next(iter(found))
                if found:
                    raise ManifestError(
                        f"{drawing.where}: {candidate!r} names {len(found)} images of {self._where}; "
                        "export with this library, which gives every image its own name"
                    )
        raise ManifestError(
            f"{drawing.where}: no image of {self._where} is called {' or '.join(map(repr, drawing.names))}"
        )

    def blank(self, index: int, where: str) -> MaskArray:
        """Nobody's pixels, as many as the image has."""
        reference = self._references[index]
        header = image_header(self._context.read(reference, where), name=f"{where}: {reference}")
        return np.zeros((header.height, header.width), np.uint8)


def _bare(name: str) -> str:
    """The name without a picture's extension: what follows another dot tells two images apart."""
    return re.sub(r"\.(jpe?g|png|bmp|gif|tiff?|webp)$", "", name, flags=re.IGNORECASE)


def _positions(drawing: Drawing, labels: LabelList) -> MaskArray:
    """The mask in positions of the label list plus one, 0 for the background."""
    unknown = [name for name in drawing.classes if name not in labels.names]
    if unknown:
        raise ManifestError(
            f"{drawing.where}: class {', '.join(map(repr, unknown))} is not in the label list "
            f"({labels.origin}); give the whole list"
        )
    table = np.array([0, *(labels.names.index(name) + 1 for name in drawing.classes)])
    narrow = table.astype(np.uint8 if len(labels) < 256 else np.uint16)
    return cast(MaskArray, narrow[drawing.mask])
