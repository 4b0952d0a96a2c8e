"""Each room imports what `docs/architecture.md` allows it, and nothing else."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STANDARD = set(sys.stdlib_module_names)

#: Room → what it may import beyond the standard library and itself.
ROOMS = {
    "constructs/cdk_ground_truth": {"aws_cdk", "constructs", "jsii", "labeling_job", "boto3", "botocore"},
    "lambda/labeling_job": {"boto3", "botocore", "urllib3"},
    "lambda/labeling_campaign": {"boto3", "botocore", "labeling_job"},
    # torch is for those who have it: one module, which nothing else imports.
    "labels/ground_truth_labels": {"numpy", "PIL", "boto3", "botocore", "torch"},
    "app.py": {"aws_cdk", "constructs", "cdk_ground_truth"},
    "examples": {"aws_cdk", "constructs", "cdk_ground_truth", "ground_truth_labels"},
}
#: The handler's modules that the construct, or its command, runs as well.
SHARED = {"access", "campaign", "contract", "cost", "inspection", "limits", "plan", "run"} | {
    path.stem for path in (ROOT / "lambda/labeling_job/rules").glob("[a-z]*.py")
}
#: What the local room must never know.
NEVER_LOCAL = {"cdk_ground_truth", "labeling_job", "aws_cdk"}


def files(room: str) -> list[Path]:
    path = ROOT / room
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Top-level names of all absolute imports, also those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_its_row_says(room) -> None:
    assert files(room)
    own = {Path(room).name}
    for path in files(room):
        assert imports(path) - STANDARD - own <= ROOMS[room], path.relative_to(ROOT)


def test_the_construct_knows_the_handler_through_one_file() -> None:
    for path in files("constructs/cdk_ground_truth"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and not node.level
                and (node.module or "").startswith("labeling_job")
            ):
                assert path.name == "_rooms.py"
                assert {alias.name for alias in node.names} <= SHARED


def test_boto3_is_for_the_commands_alone() -> None:
    for path in files("constructs/cdk_ground_truth"):
        if path.name not in ("command_line.py", "planned_stacks.py"):
            assert not imports(path) & {"boto3", "botocore"}, path.name


def test_the_embedded_aws_never_knows_the_constructs_or_the_handlers_rules() -> None:
    assert files("local/ground_truth_local")
    for path in files("local/ground_truth_local"):
        # A test's stack is synthesized for it, by the CDK that it was written with.
        allowed = {"aws_cdk"} if path.parent.name == "testing" and path.name == "app.py" else set()
        assert not imports(path) & (NEVER_LOCAL - allowed), path.relative_to(ROOT)


def test_apps_use_the_public_names_alone() -> None:
    for room in ("app.py", "examples"):
        for path in files(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cdk_ground_truth"):
                    assert node.module == "cdk_ground_truth"


def test_source_roots_are_no_packages() -> None:
    assert not any(
        (ROOT / room / "__init__.py").exists() for room in ("constructs", "lambda", "labels", "local")
    )
