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
_LINES = 4
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

    def short(self, longest: int) -> str:
        """What was met, cut within: a URI's end says most."""
        if len(self.got) <= longest:
            return self.got
        head = longest // 3
        return f"{self.got[:head]}…{self.got[len(self.got) - longest + head :]}"


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
        """Both numbers, in words."""
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
    """The same from long to short; what is cut last is where to look."""
    mark = "ERROR" if group[0].severity == ERROR else "warning"
    head = f"{mark} {group[0].check}{_lines(group)}"
    rule, short = group[0].rule, group[0].rule.partition(";")[0]
    for wording, examples, longest in (
        (rule, 1 if len(group) == 1 else _EXAMPLES, _SINGLE_VALUE_MAX if len(group) == 1 else _VALUE_MAX),
        (rule, 1, _VALUE_MAX),
        (short, 1, _VALUE_MAX),
        (short, 0, 0),
    ):
        got = ", ".join(finding.short(longest) for finding in group[:examples] if finding.got)
        yield f"{head}: {wording}{f': {got}' if got else ''}"


def _lines(group: list[Finding]) -> str:
    """Where, or at least how often."""
    lines = [str(finding.line) for finding in group if finding.line]
    if not lines:
        return f" ({len(group):,} times)" if len(group) > 1 else ""
    more = f" and {len(lines) - _LINES:,} more" if len(lines) > _LINES else ""
    return f" line{'s' if len(lines) > 1 else ''} {', '.join(lines[:_LINES])}{more}"
