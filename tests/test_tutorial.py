"""The tutorial's steps, typed as they stand there, one after the other in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300), pytest.mark.xdist_group("tutorial")]

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
#: These make the checkout, which the tests are in already.
DONE_ALREADY = ("make setup", ". .venv/bin/activate", "mkdir tutorial")


def steps():
    """Files to write, by the name that the text before them gives, and commands, in their order."""
    for before, kind, block in re.findall(r"([^\n]*)\n\n```(python|console)\n(.*?)```", TUTORIAL, re.DOTALL):
        if kind == "python":
            yield re.findall(r"`(\w+\.py)`", before)[-1], block
            continue
        for line in block.splitlines():
            command = line.removeprefix("$ ")
            if not command.startswith(DONE_ALREADY):
                yield "", command


def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    printed = {}
    for name, text in steps():
        if name:
            (tmp_path / name).write_text(text)
            continue
        done = subprocess.run(
            ["bash", "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        printed[text] = done.stdout
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    photos = {path.stem for path in (tmp_path / "photos").iterdir()}
    assert "1 passed" in printed["pytest -s test_streets.py"]
    assert len(printed["python labels.py"].splitlines()) == len(photos) > 3
    assert (tmp_path / "dataset" / "classes.csv").is_file()
