"""The manifest: read as a stream, line by line, and as a whole: objects, images, labels that it brings.

At no time more than a line and a chunk are in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from ..limits import (
    AUTOMATED_LABELING_OBJECTS_ADVISED,
    AUTOMATED_LABELING_OBJECTS_MIN,
    MANIFEST_ATTRIBUTE_MAX,
    MANIFEST_LINE_MAX,
    OBJECTS_MAX,
)
from .access import ELSEWHERE, KEY_DENIED, MISSING, NO_BUCKET, Reader, ReadError
from .findings import Findings
from .plan import Place, Plan, place_of

_UNREADABLE = {
    MISSING: "the manifest must exist; write it before the deploy",
    NO_BUCKET: "the manifest's bucket must exist",
    ELSEWHERE: "the manifest must be in the job's Region; copy it there",
    KEY_DENIED: "the deploy's handler must be allowed to use the key that encrypts the manifest",
}

_TYPE = "groundtruth/semantic-segmentation"
_METADATA = "-metadata"

_CHUNK = 1 << 18
# UTF-8 takes four bytes a character at most; a longer line is too long without being looked at.
_LINE_BYTES_MAX = 4 * MANIFEST_LINE_MAX + 2
_BOM = b"\xef\xbb\xbf"
_LENGTH = f"a line must have at most {MANIFEST_LINE_MAX:,} characters; drop attributes"
_OBJECT = 'each line must be one JSON object such as {"source-ref": "s3://bucket/key"}'


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that is a JSON object."""

    number: int
    entry: dict[str, Any]
    image: Place | None


class _LineError(ValueError):
    """A line of which nothing can be read."""

    def __init__(self, check: str, rule: str, got: str = "") -> None:
        super().__init__(rule)
        self.check, self.rule, self.got = check, rule, got


@dataclass(kw_only=True)
class Manifest:
    """What was read; lines that aren't JSON objects with an image are counted, but not kept."""

    objects: int = 0
    #: Objects that the job has to label: those without this job's labels.
    to_label: int = 0
    #: Line number and image of each line that has one, up to the quota.
    images: list[tuple[int, Place]] = field(default_factory=list)
    #: The first object that has an image.
    first: dict[str, Any] | None = None
    #: Classes of the labels that come in, for adjustment and verification.
    classes: set[str] = field(default_factory=set)


def read_manifest(
    reader: Reader, plan: Plan, findings: Findings, *, out_of_time: Callable[[], bool] = lambda: False
) -> Manifest:
    """Read and check all lines; beyond the quota lines are only counted."""
    manifest = Manifest()
    if plan.manifest is None:
        findings.error("manifest-readable", "the manifest must be an object's S3 URI, s3://bucket/key")
        return manifest
    try:
        _read(reader.stream(plan.manifest), manifest, plan, findings, out_of_time)
    except ReadError as error:
        rule = _UNREADABLE.get(error.kind, "the deploy's handler must be able to read the manifest")
        findings.error("manifest-readable", rule, f"{plan.manifest} ({error})")
        return manifest
    _check_count(manifest, plan, findings)
    return manifest


def _read(
    body: Any, manifest: Manifest, plan: Plan, findings: Findings, out_of_time: Callable[[], bool]
) -> None:
    seen: dict[bytes, int] = {}
    labels = PriorLabels(plan, findings)
    for raw in raw_lines(body):
        manifest.objects += 1
        if manifest.objects > OBJECTS_MAX:
            if out_of_time():
                break
            continue
        line = parse_line(raw, manifest.objects, findings)
        if line is None:
            continue
        manifest.to_label += labels.see(line)
        if line.image is not None:
            manifest.first = manifest.first or line.entry
            manifest.images.append((line.number, line.image))
            _check_duplicate(line, line.image, seen, findings)
    labels.done()
    manifest.classes = labels.classes


def _check_duplicate(line: Line, image: Place, seen: dict[bytes, int], findings: Findings) -> None:
    # A digest, as 20,000 URIs of a kilobyte each would be kept twice.
    digest = blake2b(str(image).encode(), digest_size=16).digest()
    first = seen.setdefault(digest, line.number)
    if first != line.number:
        rule = "no image may be there twice, as each line is paid for; drop the repetition"
        findings.error("manifest-duplicates", rule, f"repeats line {first}: {image}", line=line.number)


def _check_count(manifest: Manifest, plan: Plan, findings: Findings) -> None:
    count = manifest.objects
    if not count:
        findings.error("manifest-count", "the manifest must have at least one line", str(plan.manifest))
    if count > OBJECTS_MAX:
        rule = f"a job takes at most {OBJECTS_MAX:,} objects; split the manifest over several jobs"
        findings.error("manifest-count", rule, f"{count:,} lines")
    if not plan.automated or not count:
        return
    if count < AUTOMATED_LABELING_OBJECTS_MIN:
        least = AUTOMATED_LABELING_OBJECTS_MIN
        rule = f"automated labeling needs at least {least:,} objects; add some, or label without"
        findings.error("manifest-count", rule, f"{count:,} lines")
    elif count < AUTOMATED_LABELING_OBJECTS_ADVISED:
        rule = f"automated labeling is advised from {AUTOMATED_LABELING_OBJECTS_ADVISED:,} objects on"
        findings.warn("manifest-count", rule, f"{count:,} lines")


class PriorLabels:
    """Watches line by line what labels come in, and whether the job can go on from them."""

    def __init__(self, plan: Plan, findings: Findings) -> None:
        self._plan, self._findings = plan, findings
        self._lines = self._labeled = 0
        #: Attribute of the labels to adjust or verify, as the first line has it.
        self._attribute = ""
        self.classes: set[str] = set()

    def see(self, line: Line) -> bool:
        """Check a line; whether the job has to label it."""
        self._lines += 1
        labeled = self._is_labeled(line)
        if self._plan.is_chain and not self._see_prior(line):
            labeled = False
        self._labeled += labeled
        return not labeled

    def done(self) -> None:
        """Say what only the whole manifest shows."""
        if self._lines and self._labeled == self._lines:
            rule = "all objects are labeled already; set another label_attribute_name to label them again"
            self._findings.error(
                "nothing-to-label", rule, f"{self._plan.attribute!r} in {self._lines:,} lines"
            )

    def _is_labeled(self, line: Line) -> bool:
        """Chaining: an object that has this job's own label doesn't go to workers."""
        attribute = self._plan.attribute
        if attribute not in line.entry and attribute + _METADATA not in line.entry:
            return False
        metadata = line.entry.get(attribute + _METADATA)
        if not isinstance(metadata, dict) or "type" not in metadata:
            rule = (
                f"the input has an attribute {attribute!r} that is no label; set another label_attribute_name"
            )
            self._findings.error("label-attribute", rule, line=line.number)
            return False
        if self._plan.task_type == "SemanticSegmentation" and metadata["type"] != _TYPE:
            rule = f"{attribute!r} holds labels of another task type; set another label_attribute_name"
            self._findings.error("label-attribute", rule, repr(metadata["type"]), line=line.number)
        return line.entry.get(attribute) is not None and "failure-reason" not in metadata

    def _see_prior(self, line: Line) -> bool:
        attributes = [name for name in line.entry if _is_prior(line.entry, name)]
        others = [name for name in attributes if name != self._plan.attribute]
        if not self._attribute and others:
            self._attribute = others[0]
        if attributes and not others:
            rule = "an adjustment or verification must not have the name of the labels that it is about"
            self._findings.error("label-attribute", rule, repr(self._plan.attribute), line=line.number)
        elif self._attribute not in others or not others:
            rule = (
                "each line must bring an earlier segmentation: its attribute, and its -metadata with"
                " internal-color-map; drop the lines without"
            )
            self._findings.error("prior-labels", rule, _what_lacks(line.entry), line=line.number)
        else:
            self._see_classes(line)
            return True
        return False

    def _see_classes(self, line: Line) -> None:
        for colour in line.entry[self._attribute + _METADATA]["internal-color-map"].values():
            name = colour.get("class-name") if isinstance(colour, dict) else None
            if isinstance(name, str):
                self.classes.add(name)


def _is_prior(entry: dict[str, Any], name: str) -> bool:
    metadata = entry.get(name + _METADATA)
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("internal-color-map"), dict)
        and bool(metadata["internal-color-map"])
        and place_of(entry[name]) is not None
    )


def _what_lacks(entry: dict[str, Any]) -> str:
    refs = [name for name in entry if name.endswith("-ref") and name != "source-ref"]
    return f"{refs[0]!r} lacks its mask or colour map" if refs else "no label attribute"


def raw_lines(body: Any) -> Iterator[bytes]:
    """Lines without their ends, ``\\n`` or ``\\r\\n``; a line that is too long comes cut."""
    pending, skipping = b"", False
    while chunk := body.read(_CHUNK):
        *complete, pending = (pending + chunk).split(b"\n")
        for line in complete:
            if not skipping:
                yield line.removesuffix(b"\r")
            skipping = False
        if len(pending) > _LINE_BYTES_MAX:
            if not skipping:
                yield pending[: _LINE_BYTES_MAX + 1]
            pending, skipping = b"", True
    if pending and not skipping:
        yield pending.removesuffix(b"\r")


def parse_line(raw: bytes, number: int, findings: Findings) -> Line | None:
    """Check one line by itself; None where nothing can be said of its image."""
    if raw.startswith(_BOM):
        rule = "the manifest must not begin with a byte-order mark; save it as UTF-8 without"
        findings.error("manifest-encoding", rule, line=number)
    try:
        entry = _entry(_text(raw.removeprefix(_BOM)))
        _check_attributes(entry, number, findings)
    except _LineError as error:
        findings.error(error.check, error.rule, error.got, line=number)
        return None
    return Line(number=number, entry=entry, image=_image(entry, number, findings))


def _text(raw: bytes) -> str:
    # A cut line isn't decoded: a character may be cut in two.
    if len(raw) > _LINE_BYTES_MAX:
        raise _LineError("manifest-line-length", _LENGTH, f"over {_LINE_BYTES_MAX:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        got = f"byte {error.start + 1} is {raw[error.start]:#x}"
        raise _LineError("manifest-encoding", "the manifest must be UTF-8; convert it", got) from error
    if len(text) > MANIFEST_LINE_MAX:
        raise _LineError("manifest-line-length", _LENGTH, f"{len(text):,} characters")
    return text


def _entry(text: str) -> dict[str, Any]:
    if not text.strip():
        raise _LineError("manifest-json", "no line may be empty; drop it")
    try:
        entry = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise _LineError("manifest-json", _OBJECT, "nested too deeply") from error
    except ValueError as error:
        # The decoder's position counts lines of its own, and there is only one.
        raise _LineError("manifest-json", _OBJECT, str(error).replace("line 1 column", "column")) from error
    if not isinstance(entry, dict):
        raise _LineError("manifest-json", _OBJECT, text[:60])
    return entry


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return entry


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_attributes(entry: dict[str, Any], number: int, findings: Findings) -> None:
    for name, value in entry.items():
        if name.startswith("$"):
            rule = "no attribute name may start with '$'; rename it"
            findings.error("manifest-attribute-name", rule, repr(name), line=number)
        length = _length(value)
        if length > MANIFEST_ATTRIBUTE_MAX:
            rule = f"an attribute must have at most {MANIFEST_ATTRIBUTE_MAX:,} characters; shorten it"
            findings.error("manifest-line-length", rule, f"{name!r} has {length:,}", line=number)


def _length(value: object) -> int:
    try:
        return len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    except RecursionError as error:
        raise _LineError("manifest-json", _OBJECT, "nested too deeply") from error


def _image(entry: dict[str, Any], number: int, findings: Findings) -> Place | None:
    if "source" in entry:
        rule = "'source' is for text; name the image in 'source-ref' alone"
        findings.error("manifest-source", rule, line=number)
    if "source-ref" not in entry:
        findings.error("manifest-source", "each line must have 'source-ref', the image's S3 URI", line=number)
        return None
    place = place_of(entry["source-ref"])
    if place is None:
        rule = "'source-ref' must be an object's S3 URI, s3://bucket/key"
        findings.error("manifest-source", rule, repr(entry["source-ref"]), line=number)
    return place
