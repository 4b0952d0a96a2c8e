"""Each rule of the embedded AWS has a source, is used where it is held, and is on the page."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import botocore.session
import pytest

from ground_truth_local import service
from ground_truth_local.conformance.rows import load
from ground_truth_local.mend_sources import MENDS
from ground_truth_local.sources import RULES, Kind, Rule, assumed

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "local" / "ground_truth_local"
SERVICE = sorted((LOCAL / "service").glob("*.py"))


def test_the_page_is_what_the_rules_say() -> None:
    command = [sys.executable, "docs/generate_twin.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "of them assumed" in done.stdout


def test_each_mend_has_a_source() -> None:
    modules = {path.stem for path in (LOCAL / "mends").glob("*.py") if path.stem != "__init__"}
    assert modules <= set(MENDS), "add it to mend_sources.py"
    assert all(any(name.startswith(module) for module in modules) for name in MENDS)


@pytest.mark.parametrize("path", SERVICE, ids=lambda path: path.stem)
def test_a_rule_is_used_where_it_is_held(path) -> None:
    """A rule that no code refers to could say anything."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = {
        ast.unparse(node.targets[0])
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "Rule"
    }
    used = set().union(*(loaded(other) for other in SERVICE))
    assert made <= used


@cache
def loaded(path):
    """The names that a module uses; an import alone is no use."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


@cache
def botocores():
    return botocore.session.get_session().get_service_model("sagemaker")


def resolves(path):
    """Whether botocore's service model has a shape, a `Shape$Member` or an operation of this name."""
    shape, _, member = path.partition("$")
    if member:
        return shape in botocores().shape_names and member in botocores().shape_for(shape).members
    return shape in botocores().shape_names or shape in botocores().operation_names


def wrong(where):
    """The paths and errors of a source, `path, path: note`, that botocore's service model doesn't have.

    A note of one word is an error of the operation, `required` a list that the shape has.
    """
    paths, _, note = where.partition(": ")
    missing = [path for path in paths.split(", ") if not resolves(path)]
    if not missing and re.fullmatch(r"[A-Z]\w+", note):
        errors = {shape.name for shape in botocores().operation_model(paths).error_shapes}
        missing += sorted({note} - errors)
    return missing


def cited():
    for module in pkgutil.iter_modules(service.__path__):
        importlib.import_module(f"{service.__name__}.{module.name}")
    rules = [(name, rule.source.where) for name, rule in RULES.items() if rule.source.kind == Kind.MODEL]
    rows = [(f"row {row.name}", row.source.partition(": ")[2]) for row in load() if row.kind == Kind.MODEL]
    return [*rules, *rows]


def test_the_service_model_has_what_is_cited_of_it() -> None:
    found = cited()
    assert len(found) >= 100
    assert {name: wrong(where) for name, where in found if wrong(where)} == {}


@pytest.mark.parametrize(
    ("where", "missing"),
    [
        ("LabelCounters$TotalLabeled", []),
        ("LabelCounters, StopLabelingJob: what was labeled", []),
        ("StopLabelingJob: ResourceNotFound", []),
        ("LabelCounters$Sum", ["LabelCounters$Sum"]),
        ("LabelCounters, DeleteLabelingJob", ["DeleteLabelingJob"]),
        ("DescribeWorkteam: ResourceNotFound", ["ResourceNotFound"]),
    ],
)
def test_what_the_service_model_lacks_is_found(where, missing) -> None:
    assert wrong(where) == missing


@pytest.mark.parametrize("path", SERVICE, ids=lambda path: path.stem)
def test_no_message_shows_python_forms(path) -> None:
    """A reason with a Python repr is one that AWS never gave."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = [
        node for node in ast.walk(tree) if isinstance(node, ast.FormattedValue) and node.conversion == 114
    ]
    assert not [node.lineno for node in shown]


def test_two_rules_of_one_name_are_a_mistake() -> None:
    rule = Rule("mend-no-root", MENDS["no_root"].says, MENDS["no_root"].source)
    assert rule == MENDS["no_root"]
    with pytest.raises(ValueError, match="two rules"):
        Rule("mend-no-root", "something else", assumed("a test"))
