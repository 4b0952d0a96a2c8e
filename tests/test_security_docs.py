"""`docs/security.md` has a row for each attack that a test tries, and no other."""

from __future__ import annotations

import subprocess
import sys

from tests import attacks


def test_the_table_is_what_the_tests_try() -> None:
    # In a process of its own, because a pytest inside of a pytest shares its plugins.
    code = (
        "from tests import attacks; import sys; sys.exit(attacks.page() != attacks.PAGE.read_text('utf-8'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=attacks.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"run `python -m tests.attacks`\n{done.stdout}{done.stderr}"
