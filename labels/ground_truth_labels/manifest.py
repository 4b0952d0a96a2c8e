"""Reading an output manifest: lazily, from S3, a file or a folder copy."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from .classes import LabelList, Labels, label_list
from .colormap import parse_internal_color_map
from .context import Context
from .decode import Alpha, Unknown
from .errors import LabelsError, ManifestError
from .item import Item
from .lines import read_lines
from .order import described, in_app_order, job_of
from .orientation import Orientation
from .parse import SEGMENTATION, VERIFICATION, attributes, failed_attributes, load_line, parse_item
from .resolve import Resolver
from .storage import Storage, is_s3, join, told

_OUTPUT = "manifests/output/output.manifest"


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What one pass over the lines tells, without opening any mask.

    Attributes:
        lines: Number of objects, invalid lines included.
        segmentations: Segmentation attribute → number of lines that have it.
        verifications: Verification attribute → number of lines that have it.
        attributes: Every segmentation attribute met, also those that only failed lines have.
        class_names: Segmentation attribute → class names of its colour maps.
        jobs: Segmentation attribute → name of each job that labeled → a reference to one of its masks.
    """

    lines: int
    segmentations: dict[str, int]
    verifications: dict[str, int]
    class_names: dict[str, frozenset[str]]
    attributes: tuple[str, ...] = ()
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)


class Manifest:
    """An output manifest. Iterate over it for its items; nothing is kept, so any size will do."""

    def __init__(
        self,
        location: str,
        *,
        attribute: str | None,
        labels: LabelList | None,
        background: int,
        unknown: Unknown,
        alpha: Alpha,
        orientation: Orientation = "stored",
        root: str | None,
        mask_root: str | None = None,
        named: str | None = None,
        storage: Storage,
    ) -> None:
        self.location = location
        self.storage = storage
        self._attribute = attribute
        self._given_labels = labels
        self._background = background
        self._lock = RLock()
        self.context = Context(
            storage=storage,
            resolver=Resolver(location, storage, named=named, root=root, mask_root=mask_root),
            labels=lambda: self.labels,
            unknown=unknown,
            alpha=alpha,
            orientation=orientation,
        )

    def __repr__(self) -> str:
        return f"Manifest({self.location!r})"

    def __iter__(self) -> Iterator[Item]:
        """The items in the manifest's order.

        Raises:
            LabelsError: At the first line that cannot be used; `items(invalid="yield")` goes on instead.
        """
        for item in self.items():
            if item.error is not None:
                raise item.error
            yield item

    def __len__(self) -> int:
        """Number of objects, lines that cannot be used included."""
        return self.scan.lines

    def __getitem__(self, position: int) -> Item:
        """The object at a position from 0, or from the end below 0.

        Raises:
            IndexError: There is none.
            LabelsError: Its line cannot be used.
        """
        wanted = position + len(self) if position < 0 else position
        for item in self.items() if wanted >= 0 else ():
            if item.index == wanted:
                if item.error is not None:
                    raise item.error
                return item
        raise IndexError(f"{self.location}: has {len(self):,} objects, there is none at {position}")

    @property
    def classes(self) -> dict[str, int]:
        """Class name → id, the background included."""
        return self.labels.ids

    def items(self) -> Iterator[Item]:
        """All items, also lines that cannot be used: those have state `invalid` and an `error`."""
        attribute = self.attribute
        for index, (line, raw) in enumerate(self._lines()):
            if isinstance(raw, LabelsError):
                yield Item(
                    location=self.location, line=line, index=index, state="invalid", raw="", error=raw,
                    context=self.context,
                )  # fmt: skip
                continue
            yield parse_item(
                raw,
                location=self.location,
                line=line,
                index=index,
                attribute=attribute,
                context=self.context,
            )

    @property
    def attribute(self) -> str | None:
        """The label attribute that is read; None if no line has a segmentation.

        Raises:
            ManifestError: None was chosen and lines have several, or no line has the one chosen.
        """
        if self._attribute is not None:
            if self._attribute not in self.scan.attributes and self.scan.lines:
                known = ", ".join(map(repr, self.scan.attributes)) or "none"
                raise ManifestError(
                    f"{self.location}: no line has the label attribute {self._attribute!r}, found {known}"
                )
            return self._attribute
        found = self.scan.segmentations
        if len(found) > 1:
            raise ManifestError(
                f"{self.location}: has several label attributes, {', '.join(map(repr, found))}; "
                "choose one with attribute=… (--attribute)"
            )
        return next(iter(found), None)

    @cached_property
    def labels(self) -> LabelList:
        """The label list: the one given, else the app's order, else the names met in the manifest, sorted."""
        with self._lock:
            if self._given_labels is not None:
                return self._given_labels
            attribute = self.attribute or ""
            names = self.scan.class_names.get(attribute, frozenset())
            found = in_app_order(
                names,
                self.scan.jobs.get(attribute, {}),
                self.context.resolver,
                self.storage,
                background=self._background,
            )
            return found or LabelList.from_names(names, background=self._background)

    @cached_property
    def scan(self) -> Scan:
        """One pass over all lines, made when first needed."""
        with self._lock:
            return self._scan()

    def _scan(self) -> Scan:
        lines = 0
        segmentations: Counter[str] = Counter()
        verifications: Counter[str] = Counter()
        names: dict[str, set[str]] = {}
        seen: dict[str, None] = {}
        jobs: dict[str, dict[str, str]] = {}
        for number, raw in self._lines():
            lines += 1
            try:
                value = load_line(raw, str(number)) if isinstance(raw, bytes) else {}
            except ManifestError:
                continue
            verifications.update(attributes(value, VERIFICATION))
            found = attributes(value, SEGMENTATION)
            segmentations.update(found)
            seen.update(dict.fromkeys([*found, *failed_attributes(value)]))
            for attribute in found:
                metadata = value[f"{attribute}-metadata"]
                # A line that failed has metadata alone.
                if attribute in value and (job := job_of(metadata)):
                    jobs.setdefault(attribute, {}).setdefault(job, str(value[attribute]))
                try:
                    colors = metadata.get("internal-color-map")
                    entries = parse_internal_color_map(colors, str(number))
                except ManifestError:
                    # The line is told when its item is read; its names are nobody's classes.
                    continue
                names.setdefault(attribute, set()).update(e.class_name for e in entries)
        return Scan(
            lines=lines,
            segmentations=dict(segmentations),
            verifications=dict(verifications),
            attributes=tuple(seen),
            class_names={k: frozenset(v) for k, v in names.items()},
            jobs=jobs,
        )

    def _lines(self) -> Iterator[tuple[int, bytes | LabelsError]]:
        with self.storage.open(self.location) as stream:
            yield from read_lines(stream, self.location, self.storage.limits.line_bytes)


def read_manifest(
    location: str | os.PathLike[str] | None = None,
    *,
    job: str | None = None,
    session: Any = None,
    profile: str | None = None,
    attribute: str | None = None,
    labels: Labels | None = None,
    background: int = 0,
    unknown: Unknown = "error",
    alpha: Alpha = "visible",
    orientation: Orientation = "stored",
    root: str | os.PathLike[str] | None = None,
    mask_root: str | os.PathLike[str] | None = None,
    endpoint_url: str | None = None,
    storage: Storage | None = None,
) -> Manifest:
    """Open the output manifest of a Ground Truth semantic segmentation job.

    Args:
        location: `s3://…`, a file, or the job's folder (then `manifests/output/output.manifest` in it).
        job: Instead of a location: the name of a labeling job, which is asked of SageMaker.
        session: boto3 session for SageMaker and S3. Default: a new one.
        profile: Its profile, where no session is given. Default: as boto3 finds it.
        attribute: Label attribute to read. Default: the only segmentation attribute there is.
        labels: The label list that gives the class ids: names in order, name → id, a `LabelList`, or the
            place of a category file or of a text file with a name on each line. A text with commas is names.
            Default: with `job` its category file; else the order in which the app named them, where
            cdk-ground-truth's report lies beside the output; else the names met, in code-point order.
        background: Id of pixels nobody labeled. Default: 0. Not used with a `LabelList`, which has its own.
        unknown: Colours that a mask's map does not know are an `error` (default), 255 (`ignore`) or
            `background`.
        alpha: Which pixels count by their colour: all but the fully transparent (`visible`, default), only
            the fully opaque (`opaque`), or every one (`color`). The others are background.
        orientation: How the workers saw images that EXIF turns, where the mask's size doesn't tell: as
            `stored` (default: the guide says that its pages keep browsers from turning) or `upright`.
        root: Folder with a copy of the bucket. Default: the folder that `location` names, for a file the one
            that holds it; then S3. Nothing above or outside of these folders is ever read.
        mask_root: The same for masks alone. Default: `root`.
        endpoint_url: S3 endpoint. Default: as boto3 finds it.
        storage: A shared `Storage`. Default: a new one for `endpoint_url`.

    Raises:
        ManifestError: The label list is not one.
        MissingError: There is no manifest, or no such job.
    """
    if (location is None) == (job is None):
        raise ManifestError("give the place of an output manifest, or the name of a labeling job with job=…")
    storage = storage or _storage(session, profile, endpoint_url)
    if job is not None:
        location, categories = described(job, session or _session(profile))
        labels = labels if labels is not None else categories or None
    assert location is not None
    chosen = None if labels is None else label_list(labels, background=background, storage=storage)
    given = os.fspath(location)
    return Manifest(
        _manifest_file(given),
        attribute=attribute,
        labels=chosen,
        background=background,
        unknown=unknown,
        alpha=alpha,
        orientation=orientation,
        root=os.fspath(root) if root is not None else None,
        mask_root=os.fspath(mask_root) if mask_root is not None else None,
        named=given if not is_s3(given) and Path(given).is_dir() else None,
        storage=storage,
    )


#: What functions take: an open manifest, or where one is, as `read_manifest` takes it.
ManifestLike = Manifest | str | os.PathLike[str]


def opened(given: ManifestLike) -> Manifest:
    """The manifest itself, or that of a place, with `read_manifest`'s defaults.

    Raises:
        LabelsError: as `read_manifest`.
    """
    return given if isinstance(given, Manifest) else read_manifest(given)


def _session(profile: str | None) -> Any:
    import boto3

    with told(f"the profile {profile!r}" if profile else "boto3", "can't be used", ManifestError):
        return boto3.Session(profile_name=profile)


def _storage(session: Any, profile: str | None, endpoint_url: str | None) -> Storage:
    if session is None and profile is None:
        return Storage(endpoint_url=endpoint_url)
    client = (session or _session(profile)).client("s3", endpoint_url=endpoint_url)
    return Storage(endpoint_url=endpoint_url, client=client)


def _manifest_file(location: str) -> str:
    if is_s3(location):
        return join(location, _OUTPUT) if location.endswith("/") else location
    if not Path(location).is_dir():
        return location
    direct = [path for name in (_OUTPUT, "output.manifest") if (path := Path(location, name)).is_file()]
    found = direct[:1] or sorted(Path(location).rglob("output/output.manifest"))
    if len(found) != 1:
        names = ", ".join(str(p) for p in found[:5]) or "none"
        raise ManifestError(f"{location}: must hold one job's {_OUTPUT}, found {names}; name the manifest")
    if not found[0].resolve().is_relative_to(Path(location).resolve()):
        raise ManifestError(f"{found[0]}: is a symbolic link out of {location}; name the manifest itself")
    return str(found[0])
