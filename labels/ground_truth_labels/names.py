"""Names of files, legal everywhere, unique and traceable to their source; names of label attributes."""

from __future__ import annotations

import re
import unicodedata

from .errors import ExportError

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_LONGEST = 80


def safe_name(index: int, reference: str) -> str:
    """A name without extension, such as `000012_street-4`, for object `index` of a manifest.

    The number is the line's position, so names are unique, also without case, and lead back to the manifest
    line, to Ground Truth's object number and to the folder of the worker responses. The rest is the file
    name of `reference` in ASCII letters, digits, `-` and `_`.
    """
    stem = re.split(r"[/\\]", reference.rstrip("/\\"))[-1].rpartition(".")[0] or reference.split("/")[-1]
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    clean = re.sub(r"[^A-Za-z0-9-]+", "_", ascii_stem).strip("_-")[:_LONGEST]
    if _RESERVED.fullmatch(clean):
        clean += "_"
    return f"{index:06d}_{clean}" if clean else f"{index:06d}"


def check_attribute(name: str) -> None:
    """Refuse what can't be the label attribute of a segmentation.

    botocore's model has the pattern of LabelAttributeName; the Developer Guide wants `-ref` at its end.

    Raises:
        ExportError: It can't.
    """
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}", name) or not name.endswith("-ref"):
        raise ExportError(f"attribute must be letters, digits and '-', and end in '-ref', got {name!r}")
