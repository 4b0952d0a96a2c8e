"""Adjustment and verification: where the earlier label lies; and whether the workers changed it.

`preparation` checks each line here, `labeling` and simulated verifiers ask for the earlier mask here.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from ..sources import Rule, guide, holds
from .errors import JobFailure, ObjectFailure, shown
from .masks import Mask, empty_mask
from .palette import BACKGROUND, to_rgb
from .rules import S3Location, parse_s3_uri

_PAGE = "sms-verification-data"
EARLIER = Rule(
    "adjustment-earlier-label",
    "An object without an earlier label and its metadata fails by itself.",
    guide(f"{_PAGE}, Filter Your Data: unlabeled objects fail one by one and don't cause the job to fail"),
)
OTHER_ATTRIBUTE = Rule(
    "adjustment-other-attribute",
    "Adjustment and verification write another attribute than the job that they are about.",
    guide(_PAGE),
)
COLORS = Rule(
    "adjustment-colors",
    "The earlier label's `internal-color-map` names a `hex-color` for each class, or the job fails.",
    guide(f"{_PAGE}, Color Information Requirements: else the tool shows an error and ends the set-up"),
)
STATUS = Rule(
    "adjustment-status",
    "`adjustment-status` is `adjusted` if the mask differs from the earlier one, else `unadjusted`.",
    guide(f"{_PAGE}, Label Verification and Adjustment Data in the Output Manifest"),
)

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MAX_MASK_BYTES = 40 * 1024 * 1024


def earlier_attribute(entry: dict[str, Any], own: str) -> str | None:
    """Return the attribute of a line's earlier label; the last one, if several jobs wrote one."""
    found = [
        name
        for name in entry
        if name not in (own, "source-ref")
        and isinstance(entry[name], str)
        and parse_s3_uri(entry[name]) is not None
        and isinstance(entry.get(f"{name}-metadata"), dict)
        and "failure-reason" not in entry[f"{name}-metadata"]
    ]
    return found[-1] if found else None


def check_line(entry: dict[str, Any], own: str, where: str) -> None:
    """Check what ends the whole job.

    Raises:
        JobFailure: the earlier label has the job's own attribute, or colours without a value.
    """
    attribute = earlier_attribute(entry, own)
    if attribute is None:
        if entry.get(own) is not None:
            raise JobFailure(
                OTHER_ATTRIBUTE,
                f"ClientError: The label in {where} has the attribute {shown(own)} of this job; "
                "LabelAttributeName must be another than that of the job to be adjusted or verified.",
            )
        return
    colors = _color_map(entry, attribute)
    for entry_id, color in colors.items():
        value = color.get("hex-color") if isinstance(color, dict) else None
        if not isinstance(value, str) or not _COLOR.fullmatch(value):
            raise JobFailure(
                COLORS,
                f"ClientError: The internal-color-map of {shown(attribute)} in {where} has no hex-color for "
                f"its entry {shown(entry_id)}.",
            )
    if not colors:
        raise JobFailure(
            COLORS, f"ClientError: The metadata of {shown(attribute)} in {where} has no internal-color-map."
        )


def _color_map(entry: dict[str, Any], attribute: str) -> dict[str, Any]:
    colors = entry[f"{attribute}-metadata"].get("internal-color-map")
    return colors if isinstance(colors, dict) else {}


def earlier_mask(line: str, own: str) -> S3Location:
    """Return where the earlier mask of an object lies.

    Raises:
        ObjectFailure: the line has none.
    """
    entry = json.loads(line)
    attribute = earlier_attribute(entry, own)
    location = parse_s3_uri(entry[attribute]) if attribute else None
    if location is None:
        raise ObjectFailure(EARLIER, "ClientError: The data object has no earlier label to adjust or verify.")
    return location


@holds(STATUS)
def is_changed(line: str, own: str, png: bytes, mask: Mask, labels: Sequence[str]) -> bool:
    """Tell whether a mask differs from the object's earlier one, read by the colours of its own map."""
    earlier, is_known = decoded(line, own, png, labels)
    return not is_known or earlier.shape != mask.shape or bool((earlier != mask).any())


def classes(line: str, own: str) -> list[str]:
    """Return the names of the earlier label's classes, in the order of its map."""
    entry = json.loads(line)
    attribute = earlier_attribute(entry, own)
    assert attribute is not None, "checked when the object was opened"
    names = [color.get("class-name") for color in _color_map(entry, attribute).values()]
    return [name for name in names if isinstance(name, str) and name != BACKGROUND]


def decoded(line: str, own: str, png: bytes, labels: Sequence[str]) -> tuple[Mask, bool]:
    """Return the class ids of an earlier mask, and whether the map and the labels name all its colours."""
    entry = json.loads(line)
    attribute = earlier_attribute(entry, own)
    assert attribute is not None, "checked when the object was opened"
    ids = {BACKGROUND: 0} | {label: number for number, label in enumerate(labels, start=1)}
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        pixels = np.asarray(image.convert("RGB"))
    earlier = empty_mask(pixels.shape[0], pixels.shape[1], len(labels))
    known = np.zeros(earlier.shape, dtype=bool)
    for color in _color_map(entry, attribute).values():
        here = (pixels == np.array(to_rgb(color["hex-color"]), dtype=np.uint8)).all(axis=-1)
        if color.get("class-name") in ids:
            earlier[here] = ids[color["class-name"]]
            known |= here
    return earlier, bool(known.all())
