"""The plugin must not slow down the pytest runs of whoever installs it."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    script = (
        "import sys, pytest; import ground_truth_local.pytest_plugin; "
        "print([m for m in ('boto3', 'ministack', 'numpy', 'rich', 'hypercorn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
