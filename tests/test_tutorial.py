"""The tutorial's steps, typed as they stand there, one after the other, from a checkout on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300), pytest.mark.xdist_group("tutorial")]

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
#: These make the checkout, which the tests are in already.
DONE_ALREADY = ("make setup", ". .venv/bin/activate")


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
    folder = tmp_path / "checkout"
    folder.mkdir()
    # What a checkout has and an empty folder hasn't: settings of pytest, which hold below it, too.
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in steps():
        if name:
            (folder / name).write_text(text)
            continue
        done = subprocess.run(
            ["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True
        )
        if found := re.search(r"&& cd (\S+)", text):
            folder = (folder / found[1]).resolve()
        printed[text] = done.stdout
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    photos = {path.stem for path in (folder / "photos").iterdir()}
    assert "1 passed" in printed["pytest -s test_streets.py"]
    assert len(printed["python labels.py"].splitlines()) == len(photos) > 3
    assert (folder / "dataset" / "classes.csv").is_file()
