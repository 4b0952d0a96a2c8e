"""A manifest as a whole: its number of objects, its images, the labels that it brings.

At no time more than a line and a chunk are in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from ..limits import AUTOMATED_LABELING_OBJECTS_ADVISED, AUTOMATED_LABELING_OBJECTS_MIN, OBJECTS_MAX
from .findings import Findings
from .lines import Line, OutOfTimeError, parse_line, raw_lines
from .places import Place
from .prior_labels import PriorLabels
from .task import LabelingTask

#: Lines are counted up to here, so that somebody sees how many jobs it would take.
COUNTED_MAX: Final = 1_000_000


@dataclass(kw_only=True)
class Manifest:
    """What was read; lines that aren't JSON objects with an image are counted, but not kept."""

    objects: int = 0
    #: Objects that the job has to label: those without this job's labels.
    to_label: int = 0
    #: Line number and image of each line that has one, up to the quota.
    images: list[tuple[int, Place]] = field(default_factory=list)
    #: The first object that has an image.
    first: dict[str, Any] | None = None
    #: Classes of the labels that come in, for adjustment and verification.
    classes: set[str] = field(default_factory=set)


def read(
    body: Any, task: LabelingTask, findings: Findings, *, out_of_time: Callable[[], bool] = lambda: False
) -> Manifest:
    """Read and check all lines of a binary stream; beyond the quota lines are only counted.

    When time runs out, that is an error: how many objects are paid for isn't known.
    """
    manifest = Manifest()
    try:
        _read(body, manifest, task, findings, out_of_time)
    except OutOfTimeError:
        rule = "the manifest must be read to its end before the handler's time is over; drop attributes"
        findings.error("manifest-readable", rule, f"{manifest.objects:,} lines were looked at, no more")
    _check_count(manifest, task, findings)
    return manifest


def _read(
    body: Any, manifest: Manifest, task: LabelingTask, findings: Findings, out_of_time: Callable[[], bool]
) -> None:
    seen: dict[bytes, int] = {}
    labels = PriorLabels(task, findings)
    for raw in raw_lines(body, out_of_time):
        manifest.objects += 1
        if manifest.objects > COUNTED_MAX:
            break
        if manifest.objects > OBJECTS_MAX:
            continue
        line = parse_line(raw, manifest.objects, findings)
        if line is None:
            continue
        manifest.to_label += labels.see(line)
        if line.image is not None:
            manifest.first = manifest.first or line.entry
            manifest.images.append((line.number, line.image))
            _check_duplicate(line, line.image, seen, findings)
    labels.done()
    manifest.classes = labels.classes


def _check_duplicate(line: Line, image: Place, seen: dict[bytes, int], findings: Findings) -> None:
    # A digest, as 20,000 URIs of a kilobyte each would be kept twice.
    digest = blake2b(str(image).encode(), digest_size=16).digest()
    first = seen.setdefault(digest, line.number)
    if first != line.number:
        rule = "no image may be there twice, as each line is paid for; drop the repetition"
        findings.error("manifest-duplicates", rule, f"repeats line {first}: {image}", line=line.number)


def _check_count(manifest: Manifest, task: LabelingTask, findings: Findings) -> None:
    count = manifest.objects
    if not count:
        findings.error("manifest-count", "the manifest must have at least one line")
    if count > OBJECTS_MAX:
        rule = (
            f"a job takes at most {OBJECTS_MAX:,} objects; a SemanticSegmentationLabelingCampaign"
            " makes as many jobs as they need"
        )
        more = f"more than {COUNTED_MAX:,}" if count > COUNTED_MAX else f"{count:,}"
        findings.error("manifest-count", rule, f"{more} lines")
    if not task.automated or not count:
        return
    if count < AUTOMATED_LABELING_OBJECTS_MIN:
        least = AUTOMATED_LABELING_OBJECTS_MIN
        rule = f"automated labeling needs at least {least:,} objects; add some, or label without"
        findings.error("manifest-count", rule, f"{count:,} lines")
    elif count < AUTOMATED_LABELING_OBJECTS_ADVISED:
        rule = f"automated labeling is advised from {AUTOMATED_LABELING_OBJECTS_ADVISED:,} objects on"
        findings.warn("manifest-count", rule, f"{count:,} lines")
