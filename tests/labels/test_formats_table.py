"""The README's table of formats, which `make interop` writes, has them all."""

from __future__ import annotations

import re
from pathlib import Path

from ground_truth_labels.cli.parser import FORMAT_HELP
from ground_truth_labels.exports import FORMATS
from tests.interop.__main__ import BEGIN, END, README, ROWS

ROOT = Path(__file__).parents[2]


def test_every_format_has_a_tool_that_opens_it_and_a_line_of_help() -> None:
    table = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in table.splitlines()[3:]]
    assert {row[0].strip("`") for row in rows} == {row.format for row in ROWS} == set(FORMATS)
    assert set(FORMAT_HELP) == set(FORMATS)
    assert all(re.fullmatch(r"exact|mean IoU 0\.\d\d", row[3]) for row in rows)
    exact = {row[0].strip("`") for row in rows if row[3] == "exact"}
    assert exact == set(FORMATS)


def test_the_tools_are_pinned_and_name_no_registry() -> None:
    text = (ROOT / "tests/interop/requirements.txt").read_text()
    pins = re.split(r"\n(?! )", text.strip())
    assert len(pins) > 50
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; .+?)?( \\\n    --hash=sha256:\w{64})+", pin) for pin in pins)
