"""Writes the table of `docs/security.md` from the tests that attack something: `python -m tests.attacks`.

A test says who attacks what with `@pytest.mark.attack("a web page", "the embedded AWS")`; each of its cases
is one attempt, or `attempts=` of them where a case tries many.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
_BEGIN, _END = "<!-- attacks: begin -->\n", "<!-- attacks: end -->\n"


class _Collector:
    """Keeps what pytest collected."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = list(session.items)


def attacking_files() -> list[Path]:
    """The files that have such tests: no other has to be imported."""
    return [
        path
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if "mark.attack(" in path.read_text("utf-8")
    ]


def table() -> str:
    """The table, one row for each attacker and asset."""
    collector = _Collector()
    files = [str(path) for path in attacking_files()]
    code = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *files], [collector])
    if code != pytest.ExitCode.OK:
        raise SystemExit(f"the tests could not be collected: {code!r}")
    rows: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for item in collector.items:
        for mark in item.iter_markers("attack"):
            attacker, asset = mark.args
            file = item.path.relative_to(ROOT).as_posix()
            tests = rows[attacker, asset]
            tests[file] = tests.get(file, 0) + mark.kwargs.get("attempts", 1)
    lines = ["| attacker | asset | attempts | held by |", "|---|---|---|---|"]
    for (attacker, asset), tests in sorted(rows.items()):
        held = ", ".join(f"[{Path(file).stem}](../{file})" for file in sorted(tests))
        lines.append(f"| {attacker} | {asset} | {sum(tests.values()):,} | {held} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with the table as it is now."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}{table()}{_END}{rest.partition(_END)[2]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
