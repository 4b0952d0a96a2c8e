"""Checking a finished job before anybody trains on it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ._indices import plan_indices
from .align import ImageHeader, image_header
from .classes import BACKGROUND
from .counts import class_counts
from .decode import Decoded, MaskArray
from .errors import LabelsError, LimitError, MaskError, MissingError, RepairError, UnknownColorError
from .item import Item
from .manifest import Manifest
from .opening import ManifestLike, opened
from .orientation import seen_upright, sizes_tell
from .parallel import ordered_map
from .progress import Progress, tracked

_HEAD = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One finding.

    Attributes:
        code: What kind, for example `unknown-colors`; stable, for machines.
        severity: `error`: training on it goes wrong. `warning`: look at it. `info`: only told.
        line: Line of the manifest, or None for the job as a whole.
        message: Sentence for people, with file and fix.
    """

    code: str
    severity: Literal["error", "warning", "info"]
    line: int | None
    message: str


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a check found.

    Attributes:
        location: The manifest.
        attribute: The label attribute, or None.
        classes: Class name → id.
        lines: Number of objects.
        states: State → number of objects.
        pixels: Class name → share of all labeled pixels, 0-1.
        images: Class name → number of images with at least one pixel.
        problems: Findings in the order of the lines, the job's own last.
    """

    location: str
    attribute: str | None
    classes: dict[str, int]
    lines: int
    states: dict[str, int]
    pixels: dict[str, float]
    images: dict[str, int]
    problems: tuple[Problem, ...] = field(repr=False)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that spoil training."""
        return tuple(p for p in self.problems if p.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Problems to look at."""
        return tuple(p for p in self.problems if p.severity == "warning")

    @property
    def ok(self) -> bool:
        """Whether no problem spoils training."""
        return not self.errors

    def __bool__(self) -> bool:
        return self.ok

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ItemCheck:
    """What was found on one object; the mask is there for whoever wants to do more with it."""

    item: Item
    problems: list[Problem]
    counts: dict[int, int]
    mask_digest: str | None = None
    image_digest: str | None = None
    mask: MaskArray | None = field(default=None, repr=False)


class Checking:
    """A check under way: `look` on any thread, `add` in order, `result` at the end."""

    def __init__(self, manifest: Manifest, *, images: bool = True) -> None:
        self._manifest = manifest
        self._images = images
        self._states: Counter[str] = Counter()
        self._pixels: Counter[int] = Counter()
        self._present: Counter[int] = Counter()
        self._problems: list[Problem] = []
        self._seen = _Seen()

    def look(self, item: Item) -> ItemCheck:
        """One object's mask and image: each read and decoded once."""
        return _check_item(item, self._images)

    def add(self, checked: ItemCheck) -> None:
        """Count one object in."""
        self._states[checked.item.state] += 1
        self._pixels.update(checked.counts)
        self._present.update(checked.counts.keys())
        self._problems += checked.problems
        self._problems += self._seen.duplicates(checked)

    def result(self) -> CheckResult:
        """What was found."""
        manifest, names = self._manifest, self._manifest.labels.by_id
        self._problems += _job_problems(manifest, self._states, self._present)
        area = sum(self._pixels.values()) or 1
        return CheckResult(
            location=manifest.location,
            attribute=manifest.attribute,
            classes=manifest.labels.ids,
            lines=len(manifest),
            states=dict(self._states),
            pixels={name: self._pixels[i] / area for i, name in names.items()},
            images={name: self._present[i] for i, name in names.items()},
            problems=tuple(self._problems),
        )


def check(
    manifest: ManifestLike,
    *,
    images: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> CheckResult:
    """Look at every line, mask and image.

    Args:
        manifest: What to check, or where its manifest is. Lines that cannot be used become findings.
        images: Also open the images' headers, for size and duplicates. Default: yes.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.
    """
    manifest = opened(manifest)
    checking = Checking(manifest, images=images)

    def look(item: Item) -> ItemCheck:
        # The mask is not needed again, and a few of them would wait for their turn.
        return replace(checking.look(item), mask=None)

    results = ordered_map(look, manifest.items(), workers=workers)
    for checked in tracked(results, progress, len(manifest)):
        checking.add(checked)
    return checking.result()


def _check_item(item: Item, images: bool) -> ItemCheck:
    if item.state == "invalid":
        code = "line-too-long" if isinstance(item.error, LimitError) else "bad-line"
        return ItemCheck(
            item, [Problem(code=code, severity="error", line=item.line, message=str(item.error))], {}
        )
    if item.state == "failed":
        message = f"{item.where}: {item.source_ref}: labeling failed: {item.failure}"
        return ItemCheck(
            item, [Problem(code="failed", severity="warning", line=item.line, message=message)], {}
        )
    problems: list[Problem] = []
    header, image_digest = _image(item, problems) if images else (None, None)
    if item.state != "labeled":
        return ItemCheck(item, problems, {}, None, image_digest)
    counts, mask_digest, mask = _mask(item, problems)
    if header is not None and mask is not None:
        height, width = mask.shape
        problems += _sizes(item, header, (height, width))
    return ItemCheck(item, problems, counts, mask_digest, image_digest, mask)


def _image(item: Item, problems: list[Problem]) -> tuple[ImageHeader | None, str | None]:
    try:
        head = item.image_bytes(head=_HEAD)
        header = _header(item, head)
    except LabelsError as error:
        problems.append(_from_error(item, error, "image"))
        return None, None
    return header, hashlib.sha256(head).hexdigest()


def _header(item: Item, head: bytes) -> ImageHeader:
    name = f"{item.where}: {item.source_ref}"
    try:
        return image_header(head, name=name)
    except MaskError:
        if len(head) < _HEAD:
            raise
    # Some formats (TIFF, WebP) keep their header elsewhere.
    return image_header(item.image_bytes(), name=name)


def _mask(item: Item, problems: list[Problem]) -> tuple[dict[int, int], str | None, MaskArray | None]:
    assert item.context is not None
    try:
        data = item.mask_bytes()
        decoded = item.context.decoded(item, data)
    except LabelsError as error:
        problems.append(_from_error(item, error, "mask"))
        return {}, None, None
    problems += _wrong_index(item, decoded)
    problems += _transparency(item, decoded)
    mask = decoded.ids
    counts = class_counts(mask)
    background = item.context.labels().background
    empty = set(counts) <= {background}
    if empty:
        message = f"{item.where}: {item.mask_ref}: holds background only; nobody labeled anything"
        problems.append(Problem(code="empty-mask", severity="warning", line=item.line, message=message))
    return counts, None if empty else hashlib.sha256(data).hexdigest(), mask


def _transparency(item: Item, decoded: Decoded) -> Iterator[Problem]:
    assert item.context is not None
    names = {entry.color: entry.class_name for entry in item.colors}
    rule = item.context.alpha
    for code, found, how, strict in (
        ("partly-transparent", decoded.partly, "partly", "opaque"),
        ("hidden-colors", decoded.hidden, "fully", "color"),
    ):
        # Each sort of pixel is read one way under two of the rules, and the other way under the third.
        other = "visible" if rule == strict else strict
        counts = {names[c]: n for c, n in found.items() if names.get(c, BACKGROUND) != BACKGROUND}
        if counts:
            told = ", ".join(f"{n:,} of {name!r}" for name, n in counts.items())
            message = (
                f"{item.where}: {item.mask_ref}: {told}: pixels that are {how} transparent, read by the rule "
                f"alpha={rule!r}; alpha={other!r} (--alpha) reads them otherwise"
            )
            yield Problem(code=code, severity="warning", line=item.line, message=message)


def _wrong_index(item: Item, decoded: Decoded) -> Iterator[Problem]:
    assert item.context is not None
    where = f"{item.where}: {item.mask_ref}"
    try:
        plan = plan_indices(decoded.image, item.colors, alpha=item.context.alpha, where=where)
    except RepairError as error:
        yield Problem(code="no-index", severity="warning", line=item.line, message=str(error))
        return
    if plan is not None and plan.wrong:
        message = (
            f"{where}: palette indices differ from the colour map (colours are right); decoding here is by "
            "colour; for other tools, write a copy with 'repair'"
        )
        yield Problem(code="wrong-index", severity="warning", line=item.line, message=message)


def _sizes(item: Item, header: ImageHeader, shape: tuple[int, int]) -> Iterator[Problem]:
    stored = (header.width, header.height)
    assert item.context is not None
    rule = item.context.orientation
    upright = seen_upright(header.orientation, stored, (shape[1], shape[0]), rule)
    where = f"{item.where}: {item.source_ref}"
    if upright is None:
        size = f"image {header.width} x {header.height}, mask {shape[1]} x {shape[0]}"
        message = f"{where}: {size} pixels; they must be equal: label the image again"
        yield Problem(code="size-mismatch", severity="error", line=item.line, message=message)
    elif not sizes_tell(header.orientation, stored):
        message = (
            f"{where}: EXIF turns the image (orientation {header.orientation}), and no size tells "
            f"whether the workers saw that; read as {rule}: orientation=… (--orientation) decides"
        )
        yield Problem(code="exif-orientation", severity="warning", line=item.line, message=message)


def _from_error(item: Item, error: LabelsError, what: str) -> Problem:
    code = f"bad-{what}"
    if isinstance(error, MissingError):
        code = f"missing-{what}"
    elif isinstance(error, LimitError):
        code = f"{what}-too-large"
    elif isinstance(error, UnknownColorError):
        code = "resampled-mask" if error.resampled else "unknown-colors"
    return Problem(code=code, severity="error", line=item.line, message=str(error))


class _Seen:
    """First line of every reference and content; a digest a line is all that is kept."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[str, int]] = {}

    def duplicates(self, result: ItemCheck) -> Iterator[Problem]:
        item = result.item
        if item.state == "invalid":
            return
        assert item.context is not None
        same_source = self._meet("source", item.context.identity(item), item)
        if same_source:
            message = f"{item.where}: {item.source_ref}: is on {same_source} already"
            yield Problem(code="duplicate-source", severity="warning", line=item.line, message=message)
            return
        for kind, digest, what in (
            ("image", result.image_digest, item.source_ref),
            ("mask", result.mask_digest, item.mask_ref),
        ):
            other = self._meet(kind, digest, item) if digest else None
            if other:
                message = f"{item.where}: {what}: has the same content as the {kind} of {other}"
                yield Problem(code=f"duplicate-{kind}", severity="warning", line=item.line, message=message)

    def _meet(self, kind: str, digest: str, item: Item) -> str | None:
        """Where the same was met before: `line <n>`, with its manifest where that is another."""
        location, line = self._first.setdefault((kind, digest), (item.location, item.line))
        if location != item.location:
            return f"{location}, line {line}"
        return f"line {line}" if line != item.line else None


def _job_problems(manifest: Manifest, states: Counter[str], present: Counter[int]) -> Iterator[Problem]:
    if manifest.attribute is None:
        message = f"{manifest.location}: no line has a segmentation label"
        yield Problem(code="no-labels", severity="error", line=None, message=message)
    if states["unlabeled"]:
        message = f"{manifest.location}: {states['unlabeled']:,} objects are not labeled"
        yield Problem(code="unlabeled", severity="info", line=None, message=message)
    labels = manifest.labels
    unused = [name for name in labels.names if not present[labels.ids[name]]]
    if unused and states["labeled"]:
        message = f"{manifest.location}: classes never used: {', '.join(unused)}"
        yield Problem(code="unused-class", severity="warning", line=None, message=message)
