"""What earlier jobs have labeled, and what a later one still has to ask: no label is bought twice.

A job whose manifest brings a label under the job's own attribute doesn't ask for it again ("Chaining labeling
jobs" in the Developer Guide), and writes the line as it came. So a line that is kept is kept to the byte.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .errors import DeployError

_METADATA: Final = "-metadata"
# Lines wait here, in memory up to this size and then on the function's disk: some have 100,000 characters.
_SPOOL_BYTES: Final = 32 * 1024 * 1024


@dataclass(kw_only=True)
class Counts:
    """What becomes of the images, for the log and for whoever decides on a deploy."""

    #: Labeled already; they pass through.
    kept: int = 0
    #: New, or without a label so far.
    asked: int = 0
    #: Asked again because an earlier job failed on them.
    failed: int = 0
    #: Asked again because the image is another one under the same key.
    replaced: int = 0
    #: Labeled earlier, but no longer among the images.
    dropped: int = 0

    @property
    def to_label(self) -> int:
        """How many images go to workers."""
        return self.asked + self.failed + self.replaced

    def __str__(self) -> str:
        parts = [f"{self.kept:,} images keep their labels", f"{self.to_label:,} go to workers"]
        if self.failed:
            parts.append(f"{self.failed:,} of them because an earlier job failed on them")
        if self.replaced:
            parts.append(f"{self.replaced:,} of them because the image was replaced")
        if self.dropped:
            parts.append(f"{self.dropped:,} labeled images are no longer among the images")
        return ", ".join(parts)


def is_labeled(entry: Mapping[str, Any], attribute: str) -> bool:
    """Whether a line has a label that the service would take for one: with metadata, and not failed."""
    metadata = entry.get(attribute + _METADATA)
    return (
        entry.get(attribute) is not None and isinstance(metadata, dict) and "failure-reason" not in metadata
    )


def without_failure(entry: Mapping[str, Any], attribute: str) -> dict[str, Any]:
    """The line as it was before a job failed on it, so that it is asked again."""
    return {key: value for key, value in entry.items() if key not in (attribute, attribute + _METADATA)}


@dataclass(kw_only=True)
class Earlier:
    """The output of an earlier job, kept on disk and found by image; the newest of several outputs wins.

    Use it in a `with` statement.
    """

    attribute: str
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115

    def __enter__(self) -> Earlier:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, lines: Iterable[bytes], *, what: str) -> None:
        """Take up an output manifest; a line without an image is none of ours.

        A label is never replaced by the lack of one.

        Raises:
            DeployError: a line is no JSON object; `what` names the manifest.
        """
        for number, raw in enumerate(lines, 1):
            entry = parsed(raw, f"{what}:{number}")
            image = entry.get("source-ref")
            if not isinstance(image, str):
                continue
            if image in self._places and not is_labeled(entry, self.attribute):
                continue
            self._file.seek(0, 2)
            self._places[image] = (self._file.tell(), len(raw))
            self._file.write(raw)

    def __len__(self) -> int:
        return len(self._places)

    def line(self, image: str) -> bytes | None:
        """The newest line of an image."""
        if image not in self._places:
            return None
        at, length = self._places[image]
        self._file.seek(at)
        return self._file.read(length)

    def images(self) -> Iterator[str]:
        """All images, in the order in which they first came."""
        yield from self._places


def parsed(raw: bytes, where: str) -> dict[str, Any]:
    """A line of an output manifest.

    Raises:
        DeployError: it is no JSON object.
    """
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DeployError(
            f"{where} is not JSON: {raw[:80]!r}; restore the earlier job's output manifest"
        ) from error
    if not isinstance(entry, dict):
        raise DeployError(f"{where} must be a JSON object, got {raw[:80]!r}")
    return entry


def continued(
    entries: Iterable[Mapping[str, Any]],
    earlier: Earlier,
    counts: Counts,
    *,
    is_same_image: Callable[[str], bool] = lambda _: True,
) -> Iterator[bytes]:
    """Lines of a manifest that asks only for what is missing, in the order of the images.

    Args:
        entries: the images as they are now, a line each.
        earlier: what was labeled.
        counts: is counted up on the way.
        is_same_image: whether the image under a URI is still the one that was labeled.
    """
    seen = 0
    for entry in entries:
        image = str(entry["source-ref"])
        raw = earlier.line(image)
        if raw is None:
            counts.asked += 1
            yield encoded(entry)
            continue
        seen += 1
        before = parsed(raw, image)
        if is_labeled(before, earlier.attribute):
            if is_same_image(image):
                counts.kept += 1
                yield raw
            else:
                counts.replaced += 1
                yield encoded(entry)
        elif earlier.attribute + _METADATA in before:
            counts.failed += 1
            yield encoded(without_failure(before, earlier.attribute))
        else:
            counts.asked += 1
            yield raw
    counts.dropped = len(earlier) - seen


def encoded(entry: Mapping[str, Any]) -> bytes:
    """A line, without its end."""
    # It is escaped to ASCII: a key may hold line separators that a reader takes for the end of a line.
    return json.dumps(entry).encode()


def selected(entry: Mapping[str, Any], attribute: str, selection: Mapping[str, Any]) -> bool:
    """Whether a line of an earlier output is one that an adjustment or a verification is about.

    All that the selection names has to be true of it. Without a label there is nothing to adjust, so
    such a line is selected by ``Unlabeled`` alone.
    """
    labeled = is_labeled(entry, attribute)
    if selection.get("Unlabeled") == "true":
        return not labeled
    if not labeled:
        return False
    metadata = entry[attribute + _METADATA]
    return (
        _confidence_is_below(metadata, selection.get("ConfidenceBelow"))
        and _verdict_is_one_of(entry, selection)
        and _has_class(metadata, selection.get("Classes"))
        and (selection.get("Machine") != "true" or metadata.get("human-annotated") == "no")
        and _key_is_one_of(entry, selection.get("Keys"))
    )


def _confidence_is_below(metadata: Mapping[str, Any], bound: str | None) -> bool:
    if bound is None:
        return True
    found = [color.get("confidence") for color in _colors(metadata)]
    numbers = [float(each) for each in found if isinstance(each, int | float)]
    # A label that states no confidence can't be said to be sure.
    return not numbers or min(numbers) < float(bound)


def _verdict_is_one_of(entry: Mapping[str, Any], selection: Mapping[str, Any]) -> bool:
    if "Verdicts" not in selection:
        return True
    metadata = entry.get(selection["VerdictAttribute"] + _METADATA)
    # Verdicts go by name: an index means another verdict once one is inserted.
    return isinstance(metadata, dict) and metadata.get("class-name") in selection["Verdicts"]


def _has_class(metadata: Mapping[str, Any], classes: list[str] | None) -> bool:
    return classes is None or any(color.get("class-name") in classes for color in _colors(metadata))


def _key_is_one_of(entry: Mapping[str, Any], keys: list[str] | None) -> bool:
    if keys is None:
        return True
    image = str(entry.get("source-ref", ""))
    return image in keys or image.removeprefix("s3://").partition("/")[2] in keys


def _colors(metadata: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    colors = metadata.get("internal-color-map")
    if isinstance(colors, dict):
        yield from (color for color in colors.values() if isinstance(color, dict))
