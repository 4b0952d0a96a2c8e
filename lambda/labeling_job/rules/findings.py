"""What breaks a rule, or looks as if: collected by check, told in one message, worst first."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

ERROR: Final = "error"
WARNING: Final = "warning"

#: A check is switched off by its name; `docs/preflight.md` says what each is about. In the order in which
#: they are told: what makes others moot comes first.
CHECKS: Final = tuple(
    """manifest-readable manifest-count manifest-encoding manifest-json manifest-line-length
    manifest-attribute-name manifest-source manifest-duplicates label-attribute prior-labels
    nothing-to-label bucket-exists bucket-region bucket-cors image-exists image-access image-format
    image-broken image-size image-pixels image-suffix image-orientation image-sample role-trust
    role-access kms-key output-overlap category-file template function-region workteam workteam-members
    quota cost-ceiling""".split()  # noqa: SIM905
)

#: Those that look at images.
IMAGE_CHECKS: Final = tuple(check for check in CHECKS if check.startswith("image-"))

_MESSAGE_BYTES = 1_150
_MESSAGE_GROUPS = 10
# This is room for a check's name, where, and some words of its rule.
_GROUP_BYTES = 70
_EXAMPLES = 3
_LINES = 4
_VALUE_MAX = 70
_SINGLE_VALUE_MAX = 400
# All findings and their bookkeeping take no more; what is beyond is counted. 20,000 missing images take half.
_KEPT_CHARACTERS = 12_000_000
_KEPT_VALUE_MAX = 1_200
_BOOKKEEPING = 150


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, or looks wrong: what was met, and on which line of a manifest, or 0."""

    got: str = ""
    line: int = 0


@dataclass(kw_only=True)
class Group:
    """All findings of a kind: how many there are, and those that are kept."""

    severity: str
    check: str
    #: What has to hold and what to do: the same words for all findings of a kind.
    rule: str
    count: int = 0
    found: list[Finding] = field(default_factory=list)


class Findings:
    """Collects findings from any thread; checks that are skipped add nothing."""

    def __init__(self, skipped_checks: Iterable[str] = ()) -> None:
        self.skipped_checks = frozenset(skipped_checks)
        self._groups: dict[tuple[str, str, str], Group] = {}
        self._kept = 0
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
        if check in self.skipped_checks:
            return
        with self._lock:
            group = self._groups.setdefault(
                (severity, check, rule), Group(severity=severity, check=check, rule=rule)
            )
            group.count += 1
            if len(group.found) < _EXAMPLES or self._kept < _KEPT_CHARACTERS:
                finding = Finding(got=clipped(printable(str(got)), _KEPT_VALUE_MAX), line=line)
                self._kept += len(finding.got) + _BOOKKEEPING
                group.found.append(finding)

    def wants(self, *checks: str) -> bool:
        """Whether any of the checks is made."""
        return not self.skipped_checks.issuperset(checks)

    def counts(self) -> str:
        """Both numbers, in words."""
        return f"{_plural(self.errors(), 'error')}, {_plural(self.warnings(), 'warning')}"

    def errors(self) -> int:
        """How many errors there are."""
        return sum(group.count for group in self._groups.values() if group.severity == ERROR)

    def warnings(self) -> int:
        """How many warnings there are."""
        return sum(group.count for group in self._groups.values() if group.severity == WARNING)

    def groups(self) -> list[Group]:
        """Findings of a kind together, worst first, each in the manifest's order."""
        for group in self._groups.values():
            group.found.sort(key=lambda finding: finding.line)
        return sorted(
            self._groups.values(), key=lambda group: (group.severity != ERROR, CHECKS.index(group.check))
        )

    def message(self, head: str, tail: str) -> str:
        """Kinds of findings on at most a screen, between two lines that are never cut.

        As many kinds as there is room to say something of; of the others their checks' names.
        """
        groups = self.groups()
        count = min(len(groups), _MESSAGE_GROUPS)
        more, room = self._around(groups[count:], head, tail)
        while count > 1 and room < count * _GROUP_BYTES:
            count -= 1
            more, room = self._around(groups[count:], head, tail)
        lines = []
        for told, group in enumerate(groups[:count]):
            # However long the names are that stand around it, a check is told by its own and a few words.
            lines.append(_fitting(group, max(room // (count - told) - 1, _GROUP_BYTES)))
            room -= len(lines[-1].encode()) + 1
        return "\n".join([head, *lines, *more, tail])

    @staticmethod
    def _around(hidden: list[Group], head: str, tail: str) -> tuple[list[str], int]:
        """The line about kinds that aren't told, and the bytes that are left for those that are."""
        names = ", ".join(dict.fromkeys(group.check for group in hidden))
        more = [f"and more of: {names}"] if hidden else []
        return more, _MESSAGE_BYTES - len("\n".join([head, *more, tail]).encode())

    def report(self) -> list[dict[str, Any]]:
        """Every finding, for the report and the log."""
        return [
            {
                "severity": group.severity,
                "check": group.check,
                "rule": group.rule,
                "count": group.count,
                "found": [_plain(finding) for finding in group.found],
            }
            for group in self.groups()
        ]


def clipped(text: str, longest: int) -> str:
    """The text, cut within if it has more bytes in UTF-8: a URI's end says most."""
    data = text.encode(errors="backslashreplace")
    if len(data) <= longest:
        return text
    head = longest // 3
    end = data[len(data) - longest + head + len("…".encode()) :]
    return f"{data[:head].decode(errors='ignore')}…{end.decode(errors='ignore')}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """The text in one line, and such that UTF-8 can spell it: a key may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _plain(finding: Finding) -> dict[str, Any]:
    line = {"line": finding.line} if finding.line else {}
    return {**line, **({"got": finding.got} if finding.got else {})}


def _fitting(group: Group, room: int) -> str:
    """A group in one line: with examples and fix if there is room, else less of both."""
    text = ""
    for text in _wordings(group):
        if len(text.encode()) <= room:
            return text
    return text.encode()[: room - 3].decode(errors="ignore") + "…"


def _wordings(group: Group) -> Iterator[str]:
    """The same from long to short; what is cut last is where to look."""
    mark = "ERROR" if group.severity == ERROR else "warning"
    head = f"{mark} {group.check}{_where(group)}"
    rule, short = group.rule, group.rule.partition(";")[0]
    for wording, examples, longest in (
        (rule, 1 if group.count == 1 else _EXAMPLES, _SINGLE_VALUE_MAX if group.count == 1 else _VALUE_MAX),
        (rule, 1, _VALUE_MAX),
        (short, 1, _VALUE_MAX),
        (short, 0, 0),
    ):
        got = ", ".join(clipped(finding.got, longest) for finding in group.found[:examples] if finding.got)
        yield f"{head}: {wording}{f': {got}' if got else ''}"


def _where(group: Group) -> str:
    """Lines, or at least how often."""
    lines = [str(finding.line) for finding in group.found[:_LINES] if finding.line]
    if not lines:
        return f" ({group.count:,} times)" if group.count > 1 else ""
    more = f" and {group.count - len(lines):,} more" if group.count > len(lines) else ""
    return f" line{'s' if len(lines) > 1 else ''} {', '.join(lines)}{more}"
