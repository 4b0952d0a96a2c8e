"""Looks at a job's images and manifests on disk at synth time, without loading any image."""

from __future__ import annotations

import io
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from ._rooms import findings, limits, task
from ._rooms import manifest as rules
from .validation import Checker

#: This stands for the size where a link leads to nothing.
_NOTHING = -1
#: Pictures that no worker's page shows, or that a browser shows and the service may not take.
_PICTURES = (".heic", ".heif", ".webp", ".jfif", ".jpe", ".avif", ".tif", ".tiff", ".bmp", ".gif")
_INSTEAD = "upload with 'aws s3 sync', and use Images.from_bucket"


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """A manifest of the user's disk."""

    content: bytes
    #: Bucket → the longest "folder" that all of its keys are in.
    prefixes: dict[str, str]


def check_directory(check: Checker, directory: Path) -> Counter[str]:
    """Refuse a directory that no job can take; answers how many files it has that are not taken, by suffix.

    Raises:
        ValueError: no image, too many, or too large ones.
    """
    if not directory.is_dir():
        check.fail("images", "be from an existing directory", str(directory))
    count = total = 0
    others: Counter[str] = Counter()
    for path, size in _files(directory):
        if not path.lower().endswith(limits.IMAGE_SUFFIXES):
            others[os.path.splitext(path)[1].lower()] += 1
            continue
        _check_name(check, path, os.path.relpath(path, directory), size)
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
            "copy them into a bucket with `aws s3 sync`, for a SemanticSegmentationLabelingCampaign",
        )
    if total > limits.DIRECTORY_BYTES_MAX:
        check.fail("images", f"have {limits.DIRECTORY_BYTES_MAX:,} bytes at most in all", total, _INSTEAD)
    return others


def untaken_pictures(others: Counter[str]) -> str:
    """What of a directory is pictures and not taken, counted; empty where nothing is."""
    return ", ".join(f"{others[suffix]:,} {suffix}" for suffix in _PICTURES if others[suffix])


def _check_name(check: Checker, path: str, inner: str, size: int) -> None:
    """Refuse what would be left out in silence, or arrive under another name."""
    if size == _NOTHING:
        check.fail("images", "be files, or links to files", path, "remove the link, or mend it")
    if os.path.basename(inner).startswith("._"):
        check.fail("images", "be images", path, "a file of macOS's own notes; remove them with dot_clean")
    # The name of a file needn't be text: what isn't comes as half a surrogate pair.
    if "\\" in inner or not {"Cc", "Cs"}.isdisjoint(map(unicodedata.category, inner)):
        rule = "have names of UTF-8 without control characters and backslashes, which a zip changes"
        check.fail("images", rule, path, "rename it")


def _files(directory: Path) -> Iterator[tuple[str, int]]:
    seen = set()
    for root, folders, names in os.walk(directory, followlinks=True):
        # A link to a parent would never end.
        seen.add(os.path.realpath(root))
        folders[:] = [each for each in folders if os.path.realpath(os.path.join(root, each)) not in seen]
        for name in names:
            path = os.path.join(root, name)
            # An editor's lock file is a link to nothing.
            yield path, os.stat(path).st_size if os.path.exists(path) else _NOTHING


def read_manifest(
    check: Checker, path: Path, job: task.LabelingTask, found: findings.Findings
) -> ManifestFile:
    """Read a manifest of JSON lines by the rules that the deploy holds it against.

    Raises:
        ValueError: names the file, the lines, the checks and their rules.
    """
    if not path.is_file():
        check.fail("images", "be from an existing manifest file", str(path))
    content = path.read_bytes()
    manifest = rules.read(io.BytesIO(content), job, found)
    check.findings("images", found, f"{path} ({manifest.objects:,} lines)")
    prefixes: dict[str, str] = {}
    for _, image in manifest.images:
        folder = image.key[: image.key.rfind("/") + 1]
        prefixes[image.bucket] = _common_folder(prefixes.get(image.bucket, folder), folder)
    return ManifestFile(content=content, prefixes=prefixes)


def _common_folder(one: str, other: str) -> str:
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    common = takewhile(lambda pair: pair[0] == pair[1], pairs)
    return "".join(f"{folder}/" for folder, _ in common)
