"""Whatever a manifest holds, the handler answers in its time, memory and bytes, and names the first error."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.grammar import KINDS, NAMED

#: Besides the named ones; `python -m tests.hostile` runs 10,000.
CASES = 250


@pytest.mark.attack("whoever writes a manifest", "the handler's time, memory and calls", attempts=CASES)
@pytest.mark.timeout(600)
def test_the_handler_outlives_any_manifest() -> None:
    """In a process of its own, whose memory is the handler's alone."""
    command = [sys.executable, "-m", "tests.hostile", str(CASES)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^{CASES + len(NAMED):,} manifests, 0 problems", done.stdout, re.MULTILINE)


def test_every_kind_of_line_breaks_its_rule() -> None:
    """The grammar's own words are right: each kind alone is told by its check."""
    from tests.hostile.grammar import Manifest, Shape
    from tests.hostile.run import problems

    for kind in KINDS:
        manifest = Manifest(seed=3, shape=Shape(), lines=5, bytes_max=10**7, kinds=[kind], share=1.0)
        assert problems(manifest) == []
        assert KINDS[kind][0] in manifest.broken
