"""What Node is started with: it shares the machine with the server and with other tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ground_truth_local import cdk_cli

ROOT = Path(__file__).parents[2]
# Says what each timer was asked for; the CLI's own function has this name.
SAYS = """
const stock = globalThis.setTimeout;
globalThis.setTimeout = (callback, delay) => { console.log(delay); return stock(callback, 0); };
"""
WAITS = """
async function waitFor(delay) { await new Promise(done => setTimeout(done, delay)); }
async function another(delay) { await new Promise(done => setTimeout(done, delay)); }
(async () => { await waitFor(5000); await waitFor(4000); await another(5000); })();
"""
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


@pytest.mark.parametrize(
    ("program", "expected"), [("cdk", [250, 4000, 5000]), ("other.js", [5000, 4000, 5000])]
)
def test_the_cli_alone_looks_more_often_and_keeps_its_other_timers(
    tmp_path: Path, program: str, expected: list[int]
) -> None:
    # A folder's name may hold what NODE_OPTIONS would split at.
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "says.js").write_text(SAYS)
    (folder / program).write_text(WAITS)
    options = cdk_cli.CdkCli("app", {})._environment["NODE_OPTIONS"]
    own = {**os.environ, "NODE_OPTIONS": f'--require "{folder / "says.js"}" {options}'}
    done = subprocess.run(
        ["node", str(folder / program)], env=own, capture_output=True, text=True, check=True
    )
    assert [int(line) for line in done.stdout.splitlines()] == expected


def test_the_cli_waits_as_it_is_taken_to() -> None:
    # Another CLI may wait otherwise: then nothing breaks, but each deploy takes seconds longer.
    source = (ROOT / "node_modules" / "aws-cdk" / "lib" / "index.js").read_text()
    assert "async function waitFor(valueProvider, timeout = 5e3)" in source
    assert "setTimeout(cb, timeout)" in source
