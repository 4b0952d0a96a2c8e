"""Looks at a job's images and manifests on disk at synth time, without loading any image."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

from ._rooms import limits
from .validation import Checker

_SOURCE_REF = "source-ref"
_ATTRIBUTE_MAX = limits.MANIFEST_ATTRIBUTE_MAX
_S3_URI = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL)
_INSTEAD = "upload with 'aws s3 sync', and use Images.from_bucket"


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """A manifest of the user's disk."""

    content: bytes
    #: Bucket → the longest "folder" that all of its keys are in.
    prefixes: dict[str, str]


def check_directory(check: Checker, directory: Path) -> bool:
    """Refuse a directory that no job can take; answers whether it holds anything but images.

    Raises:
        ValueError: no image, too many, or too large ones.
    """
    if not directory.is_dir():
        check.fail("images", "be from an existing directory", str(directory))
    count = total = others = 0
    for path, size in _files(directory):
        if not path.lower().endswith(limits.IMAGE_SUFFIXES):
            others += 1
            continue
        count += 1
        total += size
        if not 0 < size <= limits.IMAGE_BYTES_MAX:
            check.fail(
                "images", f"have 1 to {limits.IMAGE_BYTES_MAX:,} bytes each", f"{path}: {size:,} bytes"
            )
    if not count:
        check.fail("images", f"contain at least one of {', '.join(limits.IMAGE_SUFFIXES)}", str(directory))
    if count > limits.OBJECTS_MAX:
        check.fail(
            "images",
            f"be at most {limits.OBJECTS_MAX:,}, a job's quota",
            count,
            "split them over several jobs",
        )
    if total > limits.DIRECTORY_BYTES_MAX:
        check.fail("images", f"have {limits.DIRECTORY_BYTES_MAX:,} bytes at most in all", total, _INSTEAD)
    return others > 0


def _files(directory: Path) -> Iterator[tuple[str, int]]:
    seen = set()
    for root, folders, names in os.walk(directory, followlinks=True):
        # A link to a parent would never end.
        seen.add(os.path.realpath(root))
        folders[:] = [each for each in folders if os.path.realpath(os.path.join(root, each)) not in seen]
        for name in names:
            path = os.path.join(root, name)
            yield path, os.stat(path).st_size


def read_manifest(check: Checker, path: Path) -> ManifestFile:
    """Read a manifest of JSON lines and hold it against the service's rules.

    Raises:
        ValueError: names the file, the line and the rule.
    """
    if not path.is_file():
        check.fail("images", "be from an existing manifest file", str(path))
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8").replace("\r\n", "\n").rstrip("\n").split("\n")
    except UnicodeDecodeError as error:
        check.fail("images", "be a manifest in UTF-8", f"{path}: {error}")
    if lines == [""]:
        check.fail("images", "have at least one line in the manifest", str(path))
    if len(lines) > limits.OBJECTS_MAX:
        check.fail(
            "images", f"have at most {limits.OBJECTS_MAX:,} lines, a job's quota", f"{path}: {len(lines):,}"
        )
    prefixes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        bucket, key = _source_ref(_Line(check, path, number), line)
        folder = key[: key.rfind("/") + 1]
        prefixes[bucket] = _common_folder(prefixes.get(bucket, folder), folder)
    return ManifestFile(content=content, prefixes=prefixes)


@dataclass(frozen=True)
class _Line:
    check: Checker
    path: Path
    number: int

    def fail(self, must: str, got: object) -> NoReturn:
        self.check.fail(f"{self.path}:{self.number}", must, got)


def _source_ref(line: _Line, text: str) -> tuple[str, str]:
    if len(text) > limits.MANIFEST_LINE_MAX:
        line.fail(f"have at most {limits.MANIFEST_LINE_MAX:,} characters", len(text))
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        line.fail("be one JSON object", text[:80])
    dollar = next((name for name in value if name.startswith("$")), None)
    if dollar is not None:
        line.fail("have no attribute that starts with '$'", dollar)
    for name, attribute in value.items():
        if len(attribute if isinstance(attribute, str) else json.dumps(attribute)) > _ATTRIBUTE_MAX:
            line.fail(f"have at most {_ATTRIBUTE_MAX:,} characters in an attribute", name)
    uri = value.get(_SOURCE_REF)
    match = _S3_URI.fullmatch(uri) if isinstance(uri, str) else None
    if match is None:
        line.fail(f"have a '{_SOURCE_REF}' like s3://bucket/key", uri)
    return match["bucket"], match["key"]


def _common_folder(one: str, other: str) -> str:
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    common = takewhile(lambda pair: pair[0] == pair[1], pairs)
    return "".join(f"{folder}/" for folder, _ in common)
