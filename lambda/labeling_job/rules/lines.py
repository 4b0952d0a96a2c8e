"""One line of a manifest by itself; "Use an Input Manifest File" and "Input Data Quotas" of the guide."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..limits import MANIFEST_ATTRIBUTE_MAX, MANIFEST_LINE_MAX
from . import strict_json
from .findings import Findings
from .places import Place, place_of

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


class OutOfTimeError(Exception):
    """The manifest could not be read to its end in time."""


class _LineError(ValueError):
    """A line of which nothing can be read."""

    def __init__(self, check: str, rule: str, got: str = "") -> None:
        super().__init__(rule)
        self.check, self.rule, self.got = check, rule, got


def raw_lines(body: Any, out_of_time: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
    """Lines without their ends, ``\\n`` or ``\\r\\n``; a line that is too long comes cut.

    Raises:
        OutOfTimeError: as told; what is read is looked at a chunk at a time.
    """
    pending, skipping = b"", False
    while chunk := body.read(_CHUNK):
        if out_of_time():
            raise OutOfTimeError
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
        text = _text(raw.removeprefix(_BOM))
        entry = _entry(text)
    except _LineError as error:
        findings.error(error.check, error.rule, error.got, line=number)
        return None
    _check_names(entry, number, findings)
    if len(text) > MANIFEST_ATTRIBUTE_MAX:
        _check_lengths(entry, number, findings)
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
        entry = strict_json.parse(text)
    except ValueError as error:
        raise _LineError("manifest-json", _OBJECT, str(error)) from error
    if not isinstance(entry, dict):
        raise _LineError("manifest-json", _OBJECT, text[:60])
    return entry


def _check_names(entry: dict[str, Any], number: int, findings: Findings) -> None:
    names = [name for name in entry if name.startswith("$")]
    if names:
        rule = "no attribute name may start with '$'; rename it"
        findings.error("manifest-attribute-name", rule, _first(map(repr, names), len(names)), line=number)


def _check_lengths(entry: dict[str, Any], number: int, findings: Findings) -> None:
    lengths = ((name, _length(value)) for name, value in entry.items())
    long = [f"{length:,} in {name!r}" for name, length in lengths if length > MANIFEST_ATTRIBUTE_MAX]
    if long:
        rule = f"an attribute must have at most {MANIFEST_ATTRIBUTE_MAX:,} characters; shorten it"
        findings.error("manifest-line-length", rule, _first(long, len(long)), line=number)


def _first(each: Iterable[str], count: int) -> str:
    """One finding for a line, however many attributes of it break a rule."""
    return next(iter(each)) + (f" and {count - 1:,} more" if count > 1 else "")


def _length(value: object) -> int:
    """Characters, not bytes or escapes; of a structure without spaces, so that none is counted too much."""
    if isinstance(value, dict | list):
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    # No number has as many digits, so that none is spelled out again.
    return len(value) if isinstance(value, str) else 0


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
