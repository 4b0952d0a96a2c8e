"""From a reference in a manifest to a place that can be read, also in a folder copy of the bucket."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import ManifestError, MissingError
from .storage import Storage, is_s3, join, parent, split_s3

#: A reference is no longer: a bucket's name has 63 characters, a key 1,024 bytes (S3 User Guide, "Naming
#: objects").
_BYTES_MAX = 1_024 + 63 + len("s3:///")


def check_reference(reference: str, where: str) -> str:
    """`reference` itself, if following it cannot lead outside a copy of the bucket.

    Raises:
        ManifestError: It has a `..` segment, a control character other than a tab (such keys are labeled),
            or a scheme other than `s3`.
    """
    if not reference or re.search(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]", reference):
        raise ManifestError(
            f"{where}: a reference must be text without control characters, got {reference!r}"
        )
    if len(reference.encode()) > _BYTES_MAX:
        raise ManifestError(
            f"{where}: a reference must have at most {_BYTES_MAX:,} bytes, got {len(reference.encode()):,}, "
            f"beginning with {reference[:60]!r}"
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
    """Finds the objects that one manifest refers to, below the folders that the user named and nowhere else.

    With a manifest in S3, references are taken as they are (relative ones from the manifest's prefix). With
    a local manifest, a copy of the bucket is looked for in `root`, in `mask_root` for masks, and in the
    folder that was named (for a file: the one that holds it): the longest part of the key that exists there
    wins, `:` may have become `_` or `%3A` on the way. A relative reference begins at the manifest. What
    has no local copy is read from S3. Manifests come from elsewhere: none leads out of these, by a path
    above them or a symbolic link.

    Args:
        manifest: The manifest.
        storage: Where to read.
        named: The folder that the user named. Default: the one that holds a local manifest.
        root: Folder with a copy of the bucket.
        mask_root: The same for masks. Default: `root`.
    """

    def __init__(
        self,
        manifest: str,
        storage: Storage,
        *,
        named: str | None = None,
        root: str | None = None,
        mask_root: str | None = None,
    ) -> None:
        self.manifest = manifest
        self.storage = storage
        self.root = root
        self._base = parent(manifest)
        base = [] if is_s3(manifest) else [_real(self._base)]
        whole = [_real(named)] if named is not None and not is_s3(named) else []
        given = [_real(root)] if root is not None else []
        for_masks = [_real(mask_root)] if mask_root is not None else []
        # As in S3, a relative reference begins where the manifest is; a copy made by `repair` does.
        self._relative = base + whole
        self._roots = {
            False: _unique(given + whole + base),
            True: _unique(for_masks + given + whole + base),
        }
        self._last: dict[bool, tuple[Path, int]] = {}

    def locate(self, reference: str, *, mask: bool = False) -> str:
        """Where `reference` can be read.

        Raises:
            MissingError: A relative reference has no file, or a file lies outside of the folders named.
        """
        roots = self._roots[mask]
        found = self._find(reference, roots, mask) if roots else None
        if found:
            return found
        if is_s3(reference):
            return reference
        if not roots:
            return join(self._base, reference)
        raise MissingError(f"{reference}: {self.looked(mask=mask)}")

    def looked(self, *, mask: bool = False) -> str:
        """Where a local copy was looked for, and how to name another place; "" where none was."""
        roots = self._roots[mask]
        if not roots:
            return ""
        option = "root=… (--root)" if not mask else "root=… or mask_root=… (--root, --mask-root)"
        return (
            f"not found below {', '.join(str(r) for r in roots)}; give {option}, the folder that references "
            "start from"
        )

    def _find(self, reference: str, roots: list[Path], mask: bool) -> str | None:
        parts = self._parts(reference, roots)
        if not is_s3(reference):
            roots = _unique(self._relative + roots)
        elif mask in self._last:
            root, skip = self._last[mask]
            hit = _existing(root, parts[skip:])
            if hit:
                return hit
        for skip in range(len(parts)):
            # A bare file name proves little, so it counts only in the first folder.
            for root in roots if skip < len(parts) - 1 or len(parts) == 1 else roots[:1]:
                hit = _existing(root, parts[skip:])
                if hit:
                    self._last[mask] = (root, skip)
                    return hit
        return None

    @staticmethod
    def _parts(reference: str, roots: list[Path]) -> list[str]:
        if is_s3(reference):
            bucket, key = split_s3(reference)
            return [bucket, *(part for part in key.split("/") if part)]
        path = Path(reference)
        if path.is_absolute():
            for root in roots:
                if path.is_relative_to(root):
                    return list(path.relative_to(root).parts)
        return [part for part in path.parts if part not in (path.anchor, ".")]


def _real(folder: str) -> Path:
    return Path(os.path.realpath(folder))


def _unique(folders: list[Path]) -> list[Path]:
    return list(dict.fromkeys(folders))


def _existing(root: Path, parts: list[str]) -> str | None:
    if not parts:
        return None
    path = os.path.join(*parts)
    for form in dict.fromkeys((path, path.replace(":", "_"), path.replace(":", "%3A"))):
        candidate = os.path.join(root, form)
        # False as well for names that the file system can't hold.
        if not os.path.isfile(candidate):
            continue
        real = os.path.realpath(candidate)
        if not Path(real).is_relative_to(root):
            raise MissingError(
                f"{candidate}: is a symbolic link out of {root}; a manifest may not lead there: "
                "copy the file, or name the folder that holds both with root=… (--root)"
            )
        return candidate
    return None
