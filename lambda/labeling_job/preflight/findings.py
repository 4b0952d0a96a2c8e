"""What preflight found: collected by check, told in one message, worst first."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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

_MESSAGE_BYTES = 1_150
_MESSAGE_GROUPS = 10
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
        got = self.got if len(self.got) <= longest else f"{self.got[:longest]}…" if longest else ""
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
        ordered = sorted(groups.items(), key=lambda item: (item[0][0] != ERROR, CHECKS.index(item[0][1])))
        return [sorted(group, key=lambda finding: finding.line) for _, group in ordered]

    def message(self, head: str, tail: str) -> str:
        """All kinds of findings on at most a screen, between two lines that are never cut."""
        groups = self.groups()
        shown, hidden = groups[:_MESSAGE_GROUPS], groups[_MESSAGE_GROUPS:]
        more = (
            [f"and more of: {', '.join(dict.fromkeys(group[0].check for group in hidden))}"] if hidden else []
        )
        room = _MESSAGE_BYTES - len("\n".join([head, *more, tail]).encode())
        lines = []
        for told, group in enumerate(shown):
            lines.append(_fitting(group, room // (len(shown) - told) - 1))
            room -= len(lines[-1].encode()) + 1
        return "\n".join([head, *lines, *more, tail])

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
    """A group in one line: with examples and fix if there is room, else less of both."""
    text = ""
    for text in _wordings(group):
        if len(text.encode()) <= room:
            return text
    return text.encode()[: room - 3].decode(errors="ignore") + "…"


def _wordings(group: list[Finding]) -> Iterator[str]:
    """The same from long to short."""
    first, count = group[0], len(group)
    mark = "ERROR" if first.severity == ERROR else "warning"
    head = f"{mark} {first.check}{f' ({count} times)' if count > 1 else ''}: "
    rule, short = first.rule, first.rule.partition(";")[0]
    if count > 1:
        yield f"{head}{rule}: {_places(group[:_EXAMPLES], _VALUE_MAX)}{_more(count - _EXAMPLES)}"
    for wording, longest in ((rule, _SINGLE_VALUE_MAX), (rule, _VALUE_MAX), (short, _VALUE_MAX), (short, 0)):
        places = _places(group[:1], longest)
        yield f"{head}{wording}{f': {places}' if places else ''}{_more(count - 1)}"


def _places(group: list[Finding], longest: int) -> str:
    return ", ".join(place for finding in group if (place := finding.place(longest)))


def _more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""
