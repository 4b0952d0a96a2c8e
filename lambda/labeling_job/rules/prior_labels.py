"""The labels that a manifest brings: those that go on, and those that are adjusted or verified."""

from __future__ import annotations

from typing import Any, Final

from ..limits import LABEL_NAME_MAX
from .findings import Findings
from .lines import Line
from .places import place_of
from .task import LabelingTask

_TYPE = "groundtruth/semantic-segmentation"
_METADATA = "-metadata"
#: Earlier labels name at most so many different classes; a mask of the service has 256 colours.
CLASSES_MAX: Final = 10_000


class PriorLabels:
    """Watches line by line what labels come in, and whether the job can go on from them."""

    def __init__(self, task: LabelingTask, findings: Findings) -> None:
        self._task, self._findings = task, findings
        self._lines = self._labeled = 0
        #: Attribute of the labels to adjust or verify, as the first line has it.
        self._attribute = ""
        self.classes: set[str] = set()

    def see(self, line: Line) -> bool:
        """Check a line; whether the job has to label it."""
        self._lines += 1
        labeled = self._is_labeled(line)
        if self._task.is_chain and not self._see_prior(line):
            labeled = False
        self._labeled += labeled
        return not labeled

    def done(self) -> None:
        """Say what only the whole manifest shows."""
        if self._lines and self._labeled == self._lines:
            rule = "all objects are labeled already; set another label_attribute_name to label them again"
            self._findings.error(
                "nothing-to-label", rule, f"{self._task.attribute!r} in {self._lines:,} lines"
            )
        if len(self.classes) > CLASSES_MAX:
            rule = f"the earlier labels must have at most {CLASSES_MAX:,} classes in all"
            self._findings.error("prior-labels", rule)

    def _is_labeled(self, line: Line) -> bool:
        """Chaining: an object that has this job's own label doesn't go to workers."""
        attribute = self._task.attribute
        if not attribute:
            return False
        if attribute not in line.entry and attribute + _METADATA not in line.entry:
            return False
        metadata = line.entry.get(attribute + _METADATA)
        if not isinstance(metadata, dict) or "type" not in metadata:
            rule = (
                f"the input has an attribute {attribute!r} that is no label; set another label_attribute_name"
            )
            self._findings.error("label-attribute", rule, line=line.number)
            return False
        if self._task.task_type == "SemanticSegmentation" and metadata["type"] != _TYPE:
            rule = f"{attribute!r} holds labels of another task type; set another label_attribute_name"
            self._findings.error("label-attribute", rule, repr(metadata["type"]), line=line.number)
        return line.entry.get(attribute) is not None and "failure-reason" not in metadata

    def _see_prior(self, line: Line) -> bool:
        attributes = [name for name in line.entry if _is_prior(line.entry, name)]
        others = [name for name in attributes if name != self._task.attribute]
        if not self._attribute and others:
            self._attribute = others[0]
        if attributes and not others:
            rule = "an adjustment or verification must not have the name of the labels that it is about"
            self._findings.error("label-attribute", rule, repr(self._task.attribute), line=line.number)
        elif self._attribute not in others or not others:
            rule = (
                "each line must bring an earlier segmentation: its attribute, and its -metadata with"
                " internal-color-map; drop the lines without"
            )
            self._findings.error("prior-labels", rule, _what_lacks(line.entry), line=line.number)
        else:
            self._see_classes(line)
            return True
        return False

    def _see_classes(self, line: Line) -> None:
        for colour in line.entry[self._attribute + _METADATA]["internal-color-map"].values():
            name = colour.get("class-name") if isinstance(colour, dict) else None
            if isinstance(name, str) and len(self.classes) <= CLASSES_MAX:
                # A longer name is no label's, however it goes on.
                self.classes.add(name[: LABEL_NAME_MAX + 1])


def _is_prior(entry: dict[str, Any], name: str) -> bool:
    metadata = entry.get(name + _METADATA)
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("internal-color-map"), dict)
        and bool(metadata["internal-color-map"])
        and place_of(entry[name]) is not None
    )


def _what_lacks(entry: dict[str, Any]) -> str:
    refs = [name for name in entry if name.endswith("-ref") and name != "source-ref"]
    return f"{refs[0]!r} lacks its mask or colour map" if refs else "no label attribute"
