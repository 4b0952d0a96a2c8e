"""From one line of JSON to an `Item`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ._numbers import number
from .colormap import parse_internal_color_map
from .context import Context
from .errors import LabelsError, ManifestError
from .item import Item, Verification
from .resolve import check_reference

SEGMENTATION = "groundtruth/semantic-segmentation"
VERIFICATION = "groundtruth/label-verification"
_METADATA = "-metadata"


def load_line(raw: bytes, where: str) -> dict[str, Any]:
    """The JSON object on a line.

    Raises:
        ManifestError: The line is not UTF-8 JSON, or not an object.
    """
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        shown = raw[:60].decode("utf-8", "replace")
        raise ManifestError(f"{where}: must be a JSON object in UTF-8, got {shown!r}: {error}") from error
    if not isinstance(value, dict):
        raise ManifestError(f"{where}: must be a JSON object, got {type(value).__name__}")
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def attributes(value: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Names of the label attributes of one kind (`SEGMENTATION`, `VERIFICATION`) in a line, in its order."""
    found = []
    for key, metadata in value.items():
        if not key.endswith(_METADATA) or not isinstance(metadata, Mapping):
            continue
        by_map = kind == SEGMENTATION and "internal-color-map" in metadata
        if by_map or metadata.get("type") == kind:
            found.append(key.removesuffix(_METADATA))
    return tuple(found)


def failed_attributes(value: Mapping[str, Any]) -> list[str]:
    """Attributes whose labeling failed on a line: these have no type."""
    pairs = ((k, v) for k, v in value.items() if k.endswith(_METADATA) and isinstance(v, Mapping))
    return [key.removesuffix(_METADATA) for key, metadata in pairs if "failure-reason" in metadata]


def parse_item(
    raw: bytes, *, location: str, line: int, index: int, attribute: str | None, context: Context
) -> Item:
    """The item of a line; one that cannot be used comes back in state `invalid`, with its error."""
    where = f"{location}, line {line}"
    blank = Item(
        location=location,
        line=line,
        index=index,
        state="invalid",
        raw=raw.decode("utf-8", "replace"),
        context=context,
    )
    try:
        return _labeled(blank, load_line(raw, where), attribute)
    except LabelsError as error:
        return replace(blank, error=error)


def _labeled(blank: Item, value: dict[str, Any], attribute: str | None) -> Item:
    source = value.get("source-ref")
    if not isinstance(source, str):
        raise ManifestError(
            f"{blank.where}: must have 'source-ref' with the image's reference, got {source!r}"
        )
    item = replace(
        blank,
        state="unlabeled",
        source_ref=check_reference(source, f"{blank.where}, 'source-ref'"),
        attribute=attribute,
        verifications=tuple(
            _verification(value, name, blank.where) for name in attributes(value, VERIFICATION)
        ),
    )
    metadata = value.get(f"{attribute}{_METADATA}") if attribute else None
    mask = value.get(attribute) if attribute else None
    if metadata is None and mask is None:
        return item
    if not isinstance(metadata, Mapping):
        raise ManifestError(f"{blank.where}: {attribute}{_METADATA!r} must be an object, got {metadata!r}")
    failure = metadata.get("failure-reason")
    item = replace(item, **_common(metadata, blank.where))
    if failure is not None or mask is None:
        return replace(item, state="failed", failure=_written(failure or f"no {attribute!r} on the line"))
    if not isinstance(mask, str):
        raise ManifestError(f"{blank.where}: {attribute!r} must be the mask's reference, got {mask!r}")
    return replace(
        item,
        state="labeled",
        mask_ref=check_reference(mask, f"{blank.where}, {attribute!r}"),
        colors=parse_internal_color_map(metadata.get("internal-color-map"), blank.where),
    )


def _common(metadata: Mapping[str, Any], where: str) -> dict[str, Any]:
    colors = metadata.get("internal-color-map")
    # Documented per image and "the same across all classes", so any entry of the map tells it.
    entries = colors.values() if isinstance(colors, Mapping) else ()
    scores = [e.get("confidence") for e in entries if isinstance(e, Mapping)]
    scores.append(metadata.get("confidence"))
    job = metadata.get("job-name")
    created = metadata.get("creation-date")
    human = metadata.get("human-annotated")
    return {
        "confidence": next((n for s in scores if (n := number(s, where, "a confidence")) is not None), None),
        "human": None if human is None else str(human).lower() in ("yes", "true"),
        "job_name": _written(job).removeprefix("labeling-job/") if isinstance(job, str) else None,
        "created": _written(created) if isinstance(created, str) else None,
    }


def _written(value: Any) -> str:
    """A text for people, with `?` for half a surrogate pair, which no file can hold."""
    return str(value).encode(errors="replace").decode()


def _verification(value: Mapping[str, Any], attribute: str, where: str) -> Verification:
    metadata = value[f"{attribute}{_METADATA}"]
    feedback = metadata.get("worker-feedback")
    entries = feedback if isinstance(feedback, list) else []
    return Verification(
        attribute=attribute,
        class_name=_written(metadata.get("class-name", "")),
        confidence=number(metadata.get("confidence"), where, "a confidence"),
        comments=tuple(_written(e["comment"]) for e in entries if isinstance(e, Mapping) and "comment" in e),
    )
