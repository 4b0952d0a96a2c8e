"""One dialect in every room: what `CONTRIBUTING.md` says of imports and exports, held by the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "constructs/cdk_ground_truth",
    "lambda/labeling_campaign",
    "lambda/labeling_job",
    "labels/ground_truth_labels",
    "local/ground_truth_local",
)
#: Modules that users import by name, beside the packages themselves.
IMPORTED_BY_NAME = {"cdk_ground_truth/assertions.py"}
#: All folders with Python of ours.
ROOMS = ("benchmarks", "constructs", "docs", "examples", "labels", "lambda", "local", "releasing", "tests")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_itself_relatively(package) -> None:
    own = Path(package).name
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").partition(".")[0] != own, f"{path}:{node.lineno}"
            elif isinstance(node, ast.Import):
                assert all(a.name.partition(".")[0] != own for a in node.names), f"{path}:{node.lineno}"


def exports(path: Path) -> list[str] | None:
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def test_only_what_users_import_from_lists_its_names() -> None:
    """Elsewhere an underscore says what is private, and a second list would go stale."""
    for path in MODULES:
        names = exports(path)
        if names is not None:
            imported = f"{path.parent.name}/{path.name}" in IMPORTED_BY_NAME
            assert imported or path.name == "__init__.py" or path.stem == "_rooms", path


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Those that are called by position; pytest calls by name, and MiniStack what stands for its own."""
    module = tree(path)
    of_others = {
        node.value.id
        for node in ast.walk(module)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Name)
        and isinstance(node.targets[0], ast.Attribute)
        and "mends" in path.parts
    }
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in of_others:
            by_name = "tests" in path.parts and (
                node.name.startswith("test_") or "fixture" in "".join(map(ast.unparse, node.decorator_list))
            )
            if not by_name:
                yield node


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_takes_more_than_five_arguments_by_position(room: str) -> None:
    """Of more, nobody knows the order: they are given by name, or are one object."""
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        for node in functions(path):
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
            taken = len(names) - (names[:1] in (["self"], ["cls"]))
            assert taken <= 5, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_no_module_is_too_long_to_read() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert {name for name, lines in lengths.items() if lines > 350} == set()
