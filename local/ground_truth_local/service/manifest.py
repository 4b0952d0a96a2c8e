"""The input manifest: JSON Lines with the limits of "Use an Input Manifest File" and "Input Data Quotas".

SQLite's JSON functions judge the lines: the handler's preflight reads them with Python's parser, and a
mistake of one parser is not to be the other's too.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from ..sources import Rule, assumed, guide
from .errors import JobFailure, shown
from .rules import S3Location, parse_s3_uri

_PAGE = guide("sms-input-data-input-manifest")
_QUOTAS = guide("input-data-limits")
OBJECTS = Rule("manifest-objects", "A segmentation job takes at most 20,000 data objects.", _QUOTAS)
EMPTY = Rule(
    "manifest-empty", "A manifest has at least one data object.", assumed("nothing could be labeled")
)
LINE_LENGTH = Rule("manifest-line-length", "A line has at most 100,000 characters.", _PAGE)
UTF8 = Rule("manifest-utf8", "A manifest is UTF-8.", _PAGE)
JSON_LINE = Rule("manifest-json", "Each line is a JSON object.", _PAGE)
DOLLAR = Rule("manifest-dollar", "No attribute's name starts with `$`.", _PAGE)
ATTRIBUTE_LENGTH = Rule("manifest-attribute-length", "An attribute has at most 20,000 characters.", _PAGE)
SOURCE = Rule("manifest-source-ref", "Each line names its image in `source-ref`, not in `source`.", _PAGE)
SOURCE_URI = Rule("manifest-source-uri", "`source-ref` is an `s3://` URI of an object.", _PAGE)

MAX_LINE_CHARACTERS = 100_000
MAX_ATTRIBUTE_CHARACTERS = 20_000
_BUFFER = 1 << 20
_MAX_LINE_BYTES = MAX_LINE_CHARACTERS * 4 + 2
_ATTRIBUTES = "SELECT key, type, value FROM json_each(?)"


class _Raw(io.RawIOBase):
    """A body of S3's as the standard library's buffered reader takes it."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def parse_manifest(body: Any, location: S3Location, max_objects: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line as it stands and as parsed; at no time is more than a line and a buffer in memory.

    Raises:
        JobFailure: the first line that breaks a rule, by number.
    """
    number = 0
    with closing(sqlite3.connect(":memory:")) as judge:
        judge.text_factory = bytes
        for number, raw in enumerate(_lines(body, location), start=1):
            if number > max_objects:
                raise JobFailure(
                    OBJECTS,
                    f"ClientError: The manifest {location} has more than {max_objects} data objects, the"
                    " limit of a semantic segmentation job.",
                )
            yield _parse_line(judge, raw, f"line {number} of the manifest {location}")
    if number == 0:
        raise JobFailure(EMPTY, f"ClientError: The manifest {location} has no data objects.")


def _lines(body: Any, location: S3Location) -> Iterator[bytes]:
    reader = io.BufferedReader(_Raw(body), _BUFFER)
    while line := reader.readline(_MAX_LINE_BYTES + 1):
        if len(line) > _MAX_LINE_BYTES:
            raise JobFailure(
                LINE_LENGTH,
                f"ClientError: A line of the manifest {location} has more than {MAX_LINE_CHARACTERS} "
                "characters.",
            )
        if line.endswith(b"\n") or line.strip():
            yield line.rstrip(b"\n").removesuffix(b"\r")


def _parse_line(judge: sqlite3.Connection, raw: bytes, where: str) -> tuple[str, dict[str, Any]]:
    try:
        line = str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise JobFailure(UTF8, f"ClientError: {where.capitalize()} is not UTF-8.") from error
    if len(line) > MAX_LINE_CHARACTERS:
        raise JobFailure(
            LINE_LENGTH, f"ClientError: The {where} has more than {MAX_LINE_CHARACTERS} characters."
        )
    try:
        [(kind,)] = judge.execute("SELECT json_type(?)", (line,)).fetchall()
        attributes = judge.execute(_ATTRIBUTES, (line,)).fetchall() if kind == b"object" else []
        entry = json.loads(line)
    except (sqlite3.Error, ValueError, RecursionError) as error:
        raise JobFailure(JSON_LINE, f"ClientError: The {where} is not valid JSON.") from error
    if kind != b"object":
        raise JobFailure(JSON_LINE, f"ClientError: The {where} is not a JSON object.")
    _check_attributes(attributes, where)
    return line, entry


def _check_attributes(attributes: list[tuple[bytes, bytes, Any]], where: str) -> None:
    found: dict[str, object] = {}
    for key, kind, value in attributes:
        name, text = _text(key, where), _text(value, where) if isinstance(value, bytes) else ""
        found[name] = text if kind == b"text" else None
        if name.startswith("$"):
            raise JobFailure(
                DOLLAR,
                f"ClientError: The {where} has the attribute {shown(name)}; a name must not start with '$'.",
            )
        if len(text) > MAX_ATTRIBUTE_CHARACTERS:
            raise JobFailure(
                ATTRIBUTE_LENGTH,
                f"ClientError: The attribute {shown(name)} in {where} has more than "
                f"{MAX_ATTRIBUTE_CHARACTERS} characters.",
            )
    if "source" in found:
        raise JobFailure(
            SOURCE,
            f"ClientError: The {where} has 'source', which is for text; use 'source-ref' for an image.",
        )
    source = found.get("source-ref")
    if not isinstance(source, str):
        raise JobFailure(SOURCE, f"ClientError: The {where} has no 'source-ref'.")
    location = parse_s3_uri(source)
    if location is None or not location.key:
        raise JobFailure(
            SOURCE_URI,
            f"ClientError: The 'source-ref' in {where} must be 's3://bucket/key', got {shown(source)}.",
        )


def _text(value: bytes, where: str) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise JobFailure(UTF8, f"ClientError: The {where} holds half a surrogate pair.") from error


def source_of_line(line: str) -> S3Location:
    """Return the image of a manifest line that has been checked."""
    return source_of(json.loads(line))


def source_of(entry: dict[str, Any]) -> S3Location:
    """Return the image of a manifest line that has been checked and parsed."""
    location = parse_s3_uri(entry["source-ref"])
    assert location is not None, "checked when the manifest was read"
    return location
