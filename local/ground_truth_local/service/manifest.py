"""The input manifest: JSON Lines with the limits of "Use an Input Manifest File" and "Input Data Quotas"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .errors import JobFailure
from .rules import MAX_OBJECTS, S3Location, parse_s3_uri

MAX_LINE_CHARACTERS = 100_000
MAX_ATTRIBUTE_CHARACTERS = 20_000
_CHUNK = 1 << 20
_MAX_LINE_BYTES = MAX_LINE_CHARACTERS * 4 + 2


def parse_manifest(body: Any, location: S3Location) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line as it stands and as parsed; at no time is more than a line and a chunk in memory.

    Raises:
        JobFailure: the first line that breaks a rule, by number.
    """
    number = 0
    for number, raw in enumerate(_lines(body, location), start=1):
        if number > MAX_OBJECTS:
            raise JobFailure(
                f"ClientError: The manifest {location} has more than {MAX_OBJECTS} data objects, the limit "
                "of a semantic segmentation job."
            )
        yield _parse_line(raw, f"line {number} of the manifest {location}")
    if number == 0:
        raise JobFailure(f"ClientError: The manifest {location} has no data objects.")


def _lines(body: Any, location: S3Location) -> Iterator[bytes]:
    pending = b""
    while chunk := body.read(_CHUNK):
        *complete, pending = (pending + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in complete)
        if len(pending) > _MAX_LINE_BYTES:
            raise JobFailure(
                f"ClientError: A line of the manifest {location} has more than {MAX_LINE_CHARACTERS} "
                "characters."
            )
    if pending.strip():
        yield pending.removesuffix(b"\r")


def _parse_line(raw: bytes, where: str) -> tuple[str, dict[str, Any]]:
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JobFailure(f"ClientError: {where.capitalize()} is not UTF-8: {error}.") from error
    if len(line) > MAX_LINE_CHARACTERS:
        raise JobFailure(f"ClientError: The {where} has more than {MAX_LINE_CHARACTERS} characters.")
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise JobFailure(f"ClientError: The {where} is not valid JSON: {error}.") from error
    if not isinstance(entry, dict):
        raise JobFailure(f"ClientError: The {where} is not a JSON object.")
    _check_attributes(entry, where)
    return line, entry


def _check_attributes(entry: dict[str, Any], where: str) -> None:
    for name, value in entry.items():
        if name.startswith("$"):
            raise JobFailure(
                f"ClientError: The {where} has the attribute {name!r}; a name must not start with '$'."
            )
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if len(text) > MAX_ATTRIBUTE_CHARACTERS:
            raise JobFailure(
                f"ClientError: The attribute {name!r} in {where} has more than "
                f"{MAX_ATTRIBUTE_CHARACTERS} characters."
            )
    if "source" in entry:
        raise JobFailure(
            f"ClientError: The {where} has 'source', which is for text; use 'source-ref' for an image."
        )
    source = entry.get("source-ref")
    if not isinstance(source, str):
        raise JobFailure(f"ClientError: The {where} has no 'source-ref'.")
    location = parse_s3_uri(source)
    if location is None or not location.key:
        raise JobFailure(
            f"ClientError: The 'source-ref' in {where} must be 's3://bucket/key', got {source!r}."
        )


def source_of(line: str) -> S3Location:
    """Return the image of a manifest line that has been checked."""
    location = parse_s3_uri(json.loads(line)["source-ref"])
    assert location is not None, "checked when the manifest was read"
    return location
