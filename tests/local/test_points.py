"""Each point of the honest twin and each option of a rougher account has a test that is there."""

from __future__ import annotations

import ast
import string
from functools import cache
from pathlib import Path

import pytest

from ground_truth_local.conformance.rows import load
from ground_truth_local.reality import OPTIONS as KNOWN
from tests.local.points import OPTIONS, POINTS

ROOT = Path(__file__).parents[2]


@cache
def names(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def rows() -> frozenset[str]:
    return frozenset(f"row {row.name}" for row in load())


def is_there(test):
    path, _, name = test.partition("::")
    return test in rows() if test.startswith("row ") else name in names(path)


def missing(tests):
    return [test for test in tests if not is_there(test)]


def test_all_points_are_listed() -> None:
    assert list(POINTS) == list(string.ascii_lowercase[:13])
    assert list(OPTIONS) == list(KNOWN)


@pytest.mark.parametrize("point", POINTS)
def test_a_point_has_its_tests(point) -> None:
    says, tests = POINTS[point]
    assert says and tests
    assert missing(tests) == []


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_has_its_tests(option) -> None:
    assert OPTIONS[option]
    assert missing(OPTIONS[option]) == []


def test_a_test_that_is_not_there_is_missed() -> None:
    invented = ["tests/local/test_points.py::test_nobody_wrote", "row nobody-wrote"]
    assert missing([*invented, "row categories-no-version"]) == invented
