"""The lines of a manifest, read as a stream: at no time more than a line and a chunk in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..limits import MANIFEST_ATTRIBUTE_MAX, MANIFEST_LINE_MAX
from .findings import Findings
from .plan import Place, place_of

_CHUNK: Final = 1 << 18
# UTF-8 takes four bytes a character at most; a longer line is too long without being looked at.
_LINE_BYTES_MAX: Final = 4 * MANIFEST_LINE_MAX + 2
_BOM: Final = b"\xef\xbb\xbf"
_LENGTH: Final = f"a line must have at most {MANIFEST_LINE_MAX:,} characters; drop attributes"
_OBJECT: Final = 'each line must be one JSON object such as {"source-ref": "s3://bucket/key"}'


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
