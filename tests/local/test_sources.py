"""Each rule of the embedded AWS has a source, is used where it is held, and is on the page."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ground_truth_local.mend_sources import MENDS
from ground_truth_local.sources import Rule, assumed

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "local" / "ground_truth_local"
SERVICE = sorted((LOCAL / "service").glob("*.py"))


def test_the_page_is_what_the_rules_say():
    command = [sys.executable, "docs/generate_twin.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "of them assumed" in done.stdout


def test_each_mend_has_a_source():
    modules = {path.stem for path in (LOCAL / "mends").glob("*.py") if path.stem != "__init__"}
    assert modules <= set(MENDS), "add it to mend_sources.py"
    assert all(any(name.startswith(module) for module in modules) for name in MENDS)


@pytest.mark.parametrize("path", SERVICE, ids=lambda path: path.stem)
def test_a_rule_is_used_where_it_is_held(path):
    """A rule that no code refers to could say anything."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "Rule"
    }
    everywhere = "\n".join(other.read_text(encoding="utf-8") for other in SERVICE)
    used = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for name in made - used:
        assert f"import {name}" in everywhere or f", {name}" in everywhere, name


@pytest.mark.parametrize("path", SERVICE, ids=lambda path: path.stem)
def test_no_message_shows_python_forms(path):
    """A reason with a Python repr is one that AWS never gave."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = [
        node for node in ast.walk(tree) if isinstance(node, ast.FormattedValue) and node.conversion == 114
    ]
    assert not [node.lineno for node in shown]


def test_two_rules_of_one_name_are_a_mistake():
    rule = Rule("mend-no-root", MENDS["no_root"].says, MENDS["no_root"].source)
    assert rule == MENDS["no_root"]
    with pytest.raises(ValueError, match="two rules"):
        Rule("mend-no-root", "something else", assumed("a test"))
