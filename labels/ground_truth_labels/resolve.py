"""From a reference in a manifest to a place that can be read, also in a folder copy of the bucket."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import ManifestError, MissingError
from .storage import Storage, is_s3, join, parent, split_s3

_LEVELS = 6


def check_reference(reference: str, where: str) -> str:
    """`reference` itself, if following it cannot lead outside a copy of the bucket.

    Raises:
        ManifestError: It has a `..` segment, a control character, or a scheme other than `s3`.
    """
    if not reference or re.search(r"[\x00-\x1f]", reference):
        raise ManifestError(
            f"{where}: a reference must be text without control characters, got {reference!r}"
        )
    if ".." in re.split(r"[/\\]", reference):
        raise ManifestError(
            f"{where}: a reference must not have '..' segments, got {reference!r}; "
            "write the path without them"
        )
    if "://" in reference and not is_s3(reference):
        raise ManifestError(f"{where}: a reference must be s3://… or a relative path, got {reference!r}")
    if is_s3(reference) and not all(split_s3(reference)):
        raise ManifestError(f"{where}: a reference must name a bucket and a key, got {reference!r}")
    return reference


class Resolver:
    """Finds the objects that one manifest refers to.

    With a manifest in S3, references are taken as they are (relative ones from the manifest's prefix). With
    a local manifest, a copy of the bucket is looked for in `root`, or in the manifest's folder and the six
    above it: the longest part of the key that exists there wins, `:` may have become `_` or `%3A` on the way.
    What has no local copy is read from S3.
    """

    def __init__(self, manifest: str, storage: Storage, *, root: str | None = None) -> None:
        self.manifest = manifest
        self.storage = storage
        self.root = root
        self._base = parent(manifest)
        self._local = not is_s3(manifest) or root is not None
        self._roots = self._candidates()
        self._last: tuple[Path, int] | None = None

    def locate(self, reference: str) -> str:
        """Where `reference` can be read.

        Raises:
            MissingError: A relative reference has no file.
        """
        if self._local:
            found = self._find(reference)
            if found:
                return found
        if is_s3(reference):
            return reference
        if not self._local:
            return join(self._base, reference)
        raise MissingError(
            f"{reference}: not found below {', '.join(str(r) for r in self._roots[:2])} …; "
            "give root=… (--root), the folder that the references start from"
        )

    def _candidates(self) -> list[Path]:
        if self.root is not None:
            return [Path(self.root).resolve()]
        if not self._local:
            return []
        base = Path(self._base).resolve()
        return [base, *list(base.parents)[:_LEVELS]]

    def _find(self, reference: str) -> str | None:
        parts = self._parts(reference)
        if self._last is not None:
            root, skip = self._last
            hit = _existing(root, parts[skip:])
            if hit:
                return hit
        for skip in range(len(parts)):
            # A bare file name proves little, so it counts only in the folder the user pointed at.
            roots = self._roots if skip < len(parts) - 1 or len(parts) == 1 else self._roots[:1]
            for root in roots:
                hit = _existing(root, parts[skip:])
                if hit:
                    self._last = (root, skip)
                    return hit
        return None

    def _parts(self, reference: str) -> list[str]:
        if is_s3(reference):
            bucket, key = split_s3(reference)
            return [bucket, *(part for part in key.split("/") if part)]
        path = Path(reference)
        if path.is_absolute():
            for root in self._roots:
                if path.is_relative_to(root):
                    return list(path.relative_to(root).parts)
        return [part for part in path.parts if part not in (path.anchor, ".")]


def _existing(root: Path, parts: list[str]) -> str | None:
    if not parts:
        return None
    path = os.path.join(root, *parts)
    for candidate in dict.fromkeys((path, path.replace(":", "_"), path.replace(":", "%3A"))):
        if os.path.isfile(candidate):
            return candidate
    return None
