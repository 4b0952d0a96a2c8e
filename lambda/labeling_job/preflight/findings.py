"""What preflight found: collected by check, told in one message, worst first."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

ERROR: Final = "error"
WARNING: Final = "warning"

#: Check → what it is about. A check is switched off by this name. In the order in which they are told:
#: what makes others moot comes first.
CHECKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "manifest-readable": "the manifest exists, in a bucket of the job's Region, and can be read",
        "manifest-count": "1 to 20,000 objects; enough of them for automated labeling",
        "manifest-encoding": "UTF-8 without a byte-order mark",
        "manifest-json": "each line is one JSON object",
        "manifest-line-length": "at most 100,000 characters a line and 20,000 an attribute",
        "manifest-attribute-name": "no attribute name starts with '$'",
        "manifest-source": "each line has a source-ref that is an S3 URI of an object",
        "manifest-duplicates": "no image is named twice, as it would be paid for twice",
        "label-attribute": "the label attribute name doesn't collide with an attribute of the input",
        "prior-labels": "adjustment and verification: each line brings labels that can be shown",
        "nothing-to-label": "at least one object has no label yet",
        "bucket-exists": "all buckets that are named exist",
        "bucket-region": "all buckets are in the job's Region",
        "bucket-cors": "workers' browsers can read every bucket that holds images",
        "image-exists": "each image exists",
        "image-access": "each image can be read, and isn't archived",
        "image-format": "each image is a JPEG or PNG that browsers show",
        "image-broken": "each image's header is whole",
        "image-size": "at most 40 MB an image",
        "image-pixels": "at most 100 million pixels, 1920 x 1080 with automated labeling",
        "image-suffix": "each image is of the kind that its name says",
        "image-orientation": "no image is turned by its EXIF orientation",
        "image-sample": "all images could be looked at in the time there is",
        "role-trust": "SageMaker may assume the job's role",
        "role-access": "the job's role may read the input and write the output",
        "kms-key": "the job's role may use the keys that encrypt input and output",
        "output-overlap": "input and output don't lie within each other",
        "category-file": "the label category file is of the form that the service needs",
        "template": "the worker template renders, and has the elements that it needs",
        "function-region": "the PRE-/ACS- functions are those of the job's Region",
        "workteam": "the work team exists in the job's Region",
        "workteam-members": "somebody is in the work team",
        "quota": "no quota stands in the way",
        "cost-ceiling": "the job's size and price are within the ceilings that the user has set",
    }
)
_RANK: Final = {name: rank for rank, name in enumerate(CHECKS)}

_MESSAGE_BYTES = 1_150
_MESSAGE_GROUPS = 12
_EXAMPLES = 3
_VALUE_MAX = 70
_SINGLE_VALUE_MAX = 400


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, or looks wrong."""

    check: str
    severity: str
    #: What has to hold and what to do: the same words for all findings of a kind.
    rule: str
    #: What was met instead.
    got: str = ""
    #: Of the manifest; 0 where there is none.
    line: int = 0

    def place(self, longest: int) -> str:
        """Where and what, for a list of examples."""
        got = self.got if len(self.got) <= longest else f"{self.got[:longest]}…"
        return " ".join(filter(None, (f"line {self.line}" if self.line else "", got)))


class Findings:
    """Collects findings from any thread; checks that are switched off add nothing."""

    def __init__(self, off: Iterable[str] = ()) -> None:
        self.off = frozenset(off)
        self._found: list[Finding] = []
        self._lock = threading.Lock()

    def error(self, check: str, rule: str, got: object = "", *, line: int = 0) -> None:
        """Add what stops the deploy."""
        self._add(check, ERROR, rule, got, line)

    def warn(self, check: str, rule: str, got: object = "", *, line: int = 0) -> None:
        """Add what is only told."""
        self._add(check, WARNING, rule, got, line)

    def _add(self, check: str, severity: str, rule: str, got: object, line: int) -> None:
        if check not in CHECKS:
            raise AssertionError(f"not a check: {check}")
        if check not in self.off:
            finding = Finding(check=check, severity=severity, rule=rule, got=_printable(str(got)), line=line)
            with self._lock:
                self._found.append(finding)

    def wants(self, *checks: str) -> bool:
        """Whether any of the checks is on."""
        return not self.off.issuperset(checks)

    def counts(self) -> str:
        """How many errors and warnings, in words."""
        return f"{_plural(self.errors(), 'error')}, {_plural(self.warnings(), 'warning')}"

    def errors(self) -> int:
        """How many errors there are."""
        return sum(finding.severity == ERROR for finding in self._found)

    def warnings(self) -> int:
        """How many warnings there are."""
        return len(self._found) - self.errors()

    def groups(self) -> list[list[Finding]]:
        """Findings of a kind together, worst first, each in the manifest's order."""
        groups: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self._found:
            groups.setdefault((finding.severity, finding.check, finding.rule), []).append(finding)
        ordered = sorted(groups.items(), key=lambda item: (item[0][0] != ERROR, _RANK[item[0][1]]))
        return [sorted(group, key=lambda finding: finding.line) for _, group in ordered]

    def message(self, head: str, tail: str) -> str:
        """All kinds of findings on at most a screen, between two lines that are never cut."""
        lines, groups = [head], self.groups()
        room = _MESSAGE_BYTES - len(head.encode()) - len(tail.encode())
        told = 0
        for group in groups[:_MESSAGE_GROUPS]:
            text = _fitting(group, room // max(1, min(len(groups), _MESSAGE_GROUPS) - told))
            room -= len(text.encode()) + 1
            lines.append(text)
            told += 1
        if told < len(groups):
            lines.append(f"and {len(groups) - told} more kinds")
        return "\n".join([*lines, tail])

    def report(self) -> list[dict[str, Any]]:
        """Every finding, for the report and the log."""
        return [
            {
                "severity": group[0].severity,
                "check": group[0].check,
                "rule": group[0].rule,
                "count": len(group),
                "found": [_plain(finding) for finding in group],
            }
            for group in self.groups()
        ]


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _printable(text: str) -> str:
    """The text in one line, and such that UTF-8 can spell it: a key may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _plain(finding: Finding) -> dict[str, Any]:
    line = {"line": finding.line} if finding.line else {}
    return {**line, **({"got": finding.got} if finding.got else {})}


def _fitting(group: list[Finding], room: int) -> str:
    """A group in one line: as many examples as there is room for, but the rule in any case."""
    first = group[0]
    mark = "ERROR" if first.severity == ERROR else "warning"
    head = f"{mark} {first.check}{f' ({len(group)} times)' if len(group) > 1 else ''}: {first.rule}"
    longest = _SINGLE_VALUE_MAX if len(group) == 1 else _VALUE_MAX
    for shown in range(min(_EXAMPLES, len(group)), 0, -1):
        places = [place for finding in group[:shown] if (place := finding.place(longest))]
        more = f" and {len(group) - shown} more" if len(group) > shown else ""
        text = f"{head}: {', '.join(places)}{more}" if places else head
        if len(text.encode()) <= room or shown == 1:
            return text if len(text.encode()) <= max(room, 160) else _cut(text, max(room, 160))
    return head


def _cut(text: str, size: int) -> str:
    return text.encode()[: size - 3].decode(errors="ignore") + "…"
