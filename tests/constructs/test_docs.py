"""The reference is what the docstrings say; the FAQ is about errors that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAQ = (ROOT / "docs" / "faq.md").read_text()
OURS = re.findall(r"^### (.+)$", FAQ.partition("## From other tools")[0], re.MULTILINE)


def test_the_reference_is_up_to_date():
    command = [sys.executable, str(ROOT / "docs" / "generate_api.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def sources():
    """All string literals, put together as Python does, without values and quotes."""
    files = [*(ROOT / "constructs").rglob("*.py"), *(ROOT / "lambda").rglob("*.py")]
    text = "\n".join(file.read_text() for file in files)
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    return re.sub(r"\{[^{}]*\}", "…", text)


@pytest.mark.parametrize("heading", OURS)
def test_the_faq_is_about_errors_that_exist(sources, heading):
    # An argument's message is put together by the Checker: 'name' must …
    parts = [part.strip(" :;'") for part in re.split(r"…|'\w+' must|'-ref'|\(|\)", heading)]
    assert [part for part in parts if len(part) > 1 and part not in sources] == []
