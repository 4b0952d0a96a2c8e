"""One dialect in every room: what `CONTRIBUTING.md` says of imports and exports, held by the syntax tree."""

from __future__ import annotations

import ast
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


def test_no_module_is_too_long_to_read() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert {name for name, lines in lengths.items() if lines > 350} == set()
