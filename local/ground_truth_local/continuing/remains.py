"""What is left to label: read from a job's output, a manifest, or a folder of photographs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ground_truth_labels import Item, LabelList, LabelsError, Storage, read_manifest

_PICTURES = (".jpg", ".jpeg", ".png")
_PHOTOGRAPHS = "photographs"
_ATTRIBUTE = "labels-ref"


class ContinueError(Exception):
    """There is nothing to go on with; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the manifest: kept as it is, or still to label."""

    line: str
    """As it goes into the new job: a labeled one to the byte, another without what a failed job added."""
    labeled: bool
    source: str
    """The picture's S3 URI."""
    mask: str
    """The mask's S3 URI; "" where there is none."""
    read_picture: Callable[[], bytes]
    read_mask: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class Remains:
    """A dataset, a part of which is labeled."""

    name: str
    """Of the job that began it."""
    attribute: str
    labels: list[str]
    output: str
    """`S3OutputPath` of that job, where new labels go as well."""
    entries: list[Entry]

    @property
    def missing(self) -> list[Entry]:
        """What is still to label."""
        return [entry for entry in self.entries if not entry.labeled]


def read(
    source: str, labels: Sequence[str] | str, *, attribute: str = "", root: str | None = None
) -> Remains:
    """Read what there is.

    Args:
        source: a job's output folder or its manifest, here or in S3; or a folder of photographs.
        labels: names in order, or a category file; may be empty where the output names them all.
        attribute: the label attribute, where lines have several.
        root: a folder with copies of the buckets.

    Raises:
        ContinueError: there is nothing to label, or it can't be read.
    """
    folder = Path(source)
    if folder.is_dir() and not (folder / "manifests").is_dir():
        return _photographs(folder, _names(labels))
    try:
        return _output(source, labels, attribute, root)
    except LabelsError as error:
        raise ContinueError(str(error)) from error


def _names(labels: Sequence[str] | str) -> list[str]:
    if isinstance(labels, str):
        try:
            return list(LabelList.read(labels).names)
        except LabelsError as error:
            raise ContinueError(str(error)) from error
    return list(labels)


def _photographs(folder: Path, labels: list[str]) -> Remains:
    if not labels:
        raise ContinueError("Photographs alone have no labels: give them with --labels road,building.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)
    if not files:
        raise ContinueError(f"{folder} has neither manifests/output/output.manifest nor photographs.")
    entries = [
        _entry({"source-ref": f"s3://{_PHOTOGRAPHS}/{path.relative_to(folder).as_posix()}"}, path.read_bytes)
        for path in files
    ]
    return Remains(
        name=_safe(folder.resolve().name),
        attribute=_ATTRIBUTE,
        labels=labels,
        output=f"s3://{_PHOTOGRAPHS}/labels",
        entries=entries,
    )


def _entry(line: dict[str, object], read_picture: Callable[[], bytes]) -> Entry:
    return Entry(
        line=json.dumps(line, ensure_ascii=False),
        labeled=False,
        source=str(line["source-ref"]),
        mask="",
        read_picture=read_picture,
        read_mask=lambda: b"",
    )


def _output(source: str, labels: Sequence[str] | str, attribute: str, root: str | None) -> Remains:
    manifest = read_manifest(source, root=root, storage=Storage())
    if attribute and attribute in manifest.scan.attributes:
        # Otherwise no line has it yet, and it is the name that the labels will have.
        manifest = read_manifest(source, attribute=attribute, root=root, storage=Storage())
    items = list(manifest)
    found = attribute or manifest.attribute
    if not found:
        raise ContinueError(
            f"{manifest.location}: no line has a label, so its attribute isn't known: give --attribute."
        )
    names = _names(labels) or _mapped(items)
    if not names:
        raise ContinueError(f"{manifest.location} names no labels: give them with --labels.")
    entries = [_item(item, found) for item in items]
    outside = next((entry.source for entry in entries if not entry.source.startswith("s3://")), None)
    if outside:
        raise ContinueError(f"{manifest.location}: source-ref must be an S3 URI, got {outside!r}.")
    job = next((item.job_name for item in items if item.job_name), None)
    return Remains(
        name=_safe(job or Path(manifest.location).stem),
        attribute=found,
        labels=names,
        output=_output_path(entries, job),
        entries=entries,
    )


def _item(item: Item, attribute: str) -> Entry:
    if item.state == "labeled":
        return Entry(
            line=item.raw, labeled=True, source=item.source_ref, mask=item.mask_ref or "",
            read_picture=item.image_bytes, read_mask=item.mask_bytes,
        )  # fmt: skip
    line = json.loads(item.raw)
    # A failed object has metadata with its reason; with it, it would count as done.
    line = {name: value for name, value in line.items() if name not in (attribute, f"{attribute}-metadata")}
    return _entry(line, item.image_bytes)


def _mapped(items: Sequence[Item]) -> list[str]:
    """The names of all colour maps, in the maps' own order, which is that of the job's category file."""
    return list(dict.fromkeys(_classes(items)))


def _classes(items: Sequence[Item]) -> Iterator[str]:
    for item in items:
        yield from item.classes


def _output_path(entries: Sequence[Entry], job: str | None) -> str:
    for entry in entries:
        head, found, _ = entry.mask.partition("/annotations/consolidated-annotation/")
        if found and job and head.endswith(f"/{job}"):
            return head.removesuffix(f"/{job}")
    return f"s3://{entries[0].source.removeprefix('s3://').partition('/')[0]}/labels"


def _safe(name: str) -> str:
    return re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9]", "-", name)).strip("-")[:40] or "labels"
