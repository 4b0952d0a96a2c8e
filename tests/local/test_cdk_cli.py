"""What Node is started with: it shares the machine with the server and with other tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ground_truth_local import cdk_cli

COUNT = (
    "const fs = require('fs'); const of = task => fs.readFileSync(`/proc/self/task/${task}/comm`, 'utf8');"
    "console.log(fs.readdirSync('/proc/self/task').filter(task => of(task).startsWith('V8Worker')).length)"
)


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 3), (16, 4), (None, 1)])
def test_node_has_a_helper_for_each_core_but_its_own(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setenv("NODE_OPTIONS", "--stack-trace-limit=5")
    assert cdk_cli.node_options() == f"--v8-pool-size={threads} --stack-trace-limit=5"


def test_who_chose_a_number_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--v8-pool-size=7")
    assert cdk_cli.node_options() == "--v8-pool-size=7"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux shows them")
def test_the_node_of_a_test_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    # The plugin has set it for this process, which is where a test's stack starts jsii's Node.
    assert "--v8-pool-size" in os.environ["NODE_OPTIONS"]
    monkeypatch.delenv("NODE_OPTIONS")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    own = {**os.environ, "NODE_OPTIONS": cdk_cli.node_options()}
    done = subprocess.run(["node", "-e", COUNT], env=own, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
