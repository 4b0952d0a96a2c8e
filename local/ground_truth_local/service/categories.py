"""The label category configuration file, by ``CreateLabelingJobRequest$LabelCategoryConfigS3Uri``."""

from __future__ import annotations

import json

from .errors import JobFailure
from .rules import MAX_AUTOMATED_LABELS, S3Location

MAX_FILE_BYTES = 10 * 1024 * 1024
_VERSION = "2018-11-28"
_MAX_LABEL_CHARACTERS = 256
_MAX_LABELS = 65_534  # what a 16-bit class id leaves; the service documents no limit


def parse_categories(data: bytes, location: S3Location, *, automated: bool) -> list[str]:
    """Return the label names of a category file, in its order.

    Raises:
        JobFailure: the file breaks a documented rule.
    """
    what = f"ClientError: The label category file {location}"
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise JobFailure(f"{what} is not valid JSON: {error}.") from error
    if not isinstance(content, dict):
        raise JobFailure(f"{what} is not a JSON object.")
    if content.get("document-version") != _VERSION:
        got = repr(content["document-version"]) if "document-version" in content else "none"
        raise JobFailure(f'{what} must have "document-version": "{_VERSION}", it has {got}.')
    labels = content.get("labels")
    if not isinstance(labels, list) or not labels:
        raise JobFailure(f'{what} must list at least one label category in "labels".')
    names = [_name(entry, what) for entry in labels]
    duplicates = (
        sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    )
    if duplicates:
        raise JobFailure(f"{what} has the label {duplicates[0]!r} more than once.")
    maximum = MAX_AUTOMATED_LABELS if automated else _MAX_LABELS
    if len(names) > maximum:
        raise JobFailure(f"{what} has {len(names)} labels, at most {maximum} are allowed.")
    return names


def _name(entry: object, what: str) -> str:
    name = entry.get("label") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise JobFailure(f'{what} must have labels of the form {{"label": "name"}}, got {entry!r}.')
    if len(name) > _MAX_LABEL_CHARACTERS:
        raise JobFailure(
            f"{what} has a label of more than {_MAX_LABEL_CHARACTERS} characters: {name[:40]!r}…."
        )
    return name
