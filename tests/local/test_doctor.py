from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from rich.console import Console

from ground_truth_local import doctor


def test_the_command_finds_all_here() -> None:
    command = [sys.executable, "-m", "ground_truth_local.cli", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok      Node: v" in done.stdout and "ok      embedded AWS: starts" in done.stdout
    assert "Nothing is missing" in done.stdout


def test_what_is_missing_is_said_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "tool_path", lambda: str(tmp_path))
    monkeypatch.setattr(doctor, "_server", lambda: doctor.Finding("embedded AWS", True, "starts"))
    monkeypatch.setattr(doctor, "find_browser", lambda: None)
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v12.1.0\n")
    node.chmod(0o755)
    assert doctor.run(Console(highlight=False, width=200)) == 1
    told = capsys.readouterr().out
    assert f"missing Node: v12.1.0 ({node})" in told
    assert "missing CDK command line: npm install aws-cdk" in told
    assert "absent  browser: No Chrome or Chromium" in told
    assert told.splitlines()[-1] == "Missing: Node, CDK command line."


def test_another_ministack_is_no_ministack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "9.9.9")
    finding = doctor._ministack()
    assert not finding.is_there and finding.what.startswith("9.9.9, ")
