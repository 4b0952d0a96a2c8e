"""What one pass over a manifest's lines tells, without opening any mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .colormap import parse_internal_color_map
from .errors import LabelsError, ManifestError
from .order import job_of
from .parse import SEGMENTATION, VERIFICATION, attributes, failed_attributes, load_line


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What one pass over the lines tells, without opening any mask.

    Attributes:
        lines: Number of objects, invalid lines included.
        segmentations: Segmentation attribute → number of lines that have it.
        verifications: Verification attribute → number of lines that have it.
        attributes: Every segmentation attribute met, also those that only failed lines have.
        class_names: Segmentation attribute → class names of its colour maps.
        jobs: Segmentation attribute → name of each job that labeled → a reference to one of its masks.
    """

    lines: int
    segmentations: dict[str, int]
    verifications: dict[str, int]
    class_names: dict[str, frozenset[str]]
    attributes: tuple[str, ...] = ()
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)


def scan_lines(numbered: Iterable[tuple[int, bytes | LabelsError]]) -> Scan:
    """One pass over lines and their numbers."""
    lines = 0
    segmentations: Counter[str] = Counter()
    verifications: Counter[str] = Counter()
    names: dict[str, set[str]] = {}
    seen: dict[str, None] = {}
    jobs: dict[str, dict[str, str]] = {}
    for number, raw in numbered:
        lines += 1
        try:
            value = load_line(raw, str(number)) if isinstance(raw, bytes) else {}
        except ManifestError:
            continue
        verifications.update(attributes(value, VERIFICATION))
        found = attributes(value, SEGMENTATION)
        segmentations.update(found)
        seen.update(dict.fromkeys([*found, *failed_attributes(value)]))
        for attribute in found:
            metadata = value[f"{attribute}-metadata"]
            # A line that failed has metadata alone.
            if attribute in value and (job := job_of(metadata)):
                jobs.setdefault(attribute, {}).setdefault(job, str(value[attribute]))
            try:
                colors = metadata.get("internal-color-map")
                entries = parse_internal_color_map(colors, str(number))
            except ManifestError:
                # The line is told when its item is read; its names are nobody's classes.
                continue
            names.setdefault(attribute, set()).update(e.class_name for e in entries)
    return Scan(
        lines=lines,
        segmentations=dict(segmentations),
        verifications=dict(verifications),
        attributes=tuple(seen),
        class_names={k: frozenset(v) for k, v in names.items()},
        jobs=jobs,
    )
