"""Every Python block of the documentation runs, here or in the test that `PAGES` names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from PIL import Image

import cdk_ground_truth

ROOT = Path(__file__).resolve().parents[1]
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
#: Page → who runs its blocks.
PAGES = {
    "README.md": "test_readme",
    "docs/campaign.md": "constructs/test_docs",
    "docs/tutorial.md": "test_tutorial",
    "docs/policy-packs.md": "here",
    "docs/preflight.md": "here",
    "docs/testing.md": "here",
    "labels/README.md": "labels/test_readme",
    "local/README.md": "here",
}
#: Written by machine: signatures.
GENERATED = ("docs/api.md", "docs/api-labels.md", "docs/api-local.md")


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_every_page_with_a_block_is_known() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("l*/README.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
    found = {str(page.relative_to(ROOT)) for page in pages if "```python" in page.read_text("utf-8")}
    assert found - set(GENERATED) - {"CONTRIBUTING.md"} == set(PAGES)


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (page, number)
        for page in ("docs/policy-packs.md", "docs/preflight.md")
        for number in range(len(blocks(page)))
    ],
)
def test_a_block_of_an_app_runs(page, number, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.jpg")
    stack = Stack(App(), "Streets")
    base = {
        "images": cdk_ground_truth.Images.from_directory("photos"),
        "labels": ["road"],
        "team": cdk_ground_truth.Workteam.from_workteam_arn(stack, "Team", TEAM),
    }
    names = {
        **{name: getattr(cdk_ground_truth, name) for name in cdk_ground_truth.__all__},
        "Duration": Duration,
        "stack": stack,
        "vpc": ec2.Vpc(stack, "Vpc"),
        "queue": sqs.Queue(stack, "Queue"),
        "key": kms.Key(stack, "Key"),
        "logs": s3.Bucket(stack, "Logs"),
        **base,
    }
    # `...` stands for what every job has.
    given = 'stack, "Job", images=images, labels=labels, workteam=team'
    exec(
        blocks(page)[number].replace("(..., ", f"({given}, ").replace("    ...,\n", f"    {given},\n"), names
    )
    made = [
        each
        for each in stack.node.find_all()
        if isinstance(each, cdk_ground_truth.SemanticSegmentationLabelingJob)
    ]
    assert len(made) == 1 and isinstance(stack, aws_cdk.Stack)


@pytest.mark.deploy
@pytest.mark.xdist_group("testing")
def test_the_page_on_tests_is_a_test_file(tmp_path: Path) -> None:
    own, to_order, snapshot, options = blocks("docs/testing.md")
    (tmp_path / "photos").mkdir()
    for name in ("one.png", "two.png"):
        Image.new("RGB", (60, 40), "grey" if name == "one.png" else "white").save(tmp_path / "photos" / name)
    (tmp_path / "test_streets.py").write_text(own + to_order + snapshot)
    given = """
@pytest.fixture
def streets():
    from test_streets import Streets

    return Streets


@pytest.fixture
def snapshot():
    class Any:
        def __eq__(self, other):
            return "hash" in str(other)

    return Any()
"""
    # The team of the page is of another Region than its last block's server.
    (tmp_path / "conftest.py").write_text(options.replace("eu-west-1", "us-east-1") + given)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.deploy
def test_the_embedded_aws_starts_as_its_readme_says() -> None:
    server, fixture = blocks("local/README.md")
    names: dict[Any, Any] = {}
    exec(server, names)
    assert names["team"].endswith(":workteam/private-crowd/annotators")
    compile(fixture, "local/README.md", "exec")


def test_each_row_of_the_comparison_has_its_test() -> None:
    rows = (ROOT / "docs" / "comparison.md").read_text("utf-8").split("|---|")[-1].splitlines()
    ours = [row.split("|")[2] for row in rows if row.startswith("| ")]
    assert len(ours) > 10
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "constructs").glob("test_*.py"))
    for cell in ours:
        named = re.findall(r"`([^`]+)`", cell)
        assert named, cell
        for name in named:
            if name.startswith("test_"):
                assert f"\ndef {name}(" in sources, name
            elif name.startswith("tests/"):
                assert (ROOT / name).exists(), name
