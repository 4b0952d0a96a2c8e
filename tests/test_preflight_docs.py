"""docs/preflight.md names all checks, as severe as they are, and shows what is really said."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack

import cdk_ground_truth
from cdk_ground_truth import cli
from cdk_ground_truth.command_line import OK
from labeling_job import limits
from labeling_job.errors import DeployError
from labeling_job.preflight import access, gate, headers
from labeling_job.rules.findings import CHECKS
from tests.corpus import pictures
from tests.corpus.broken import BROKEN
from tests.corpus.fake_aws import FakeAws
from tests.corpus.world import TEMPLATE, drop, good_world
from tests.labeling_job.preflight.conftest import CONTEXT, properties

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "preflight.md").read_text()
ROWS = re.findall(r"^\| `([a-z-]+)` \|.+\| ([^|]+) \|$", DOCS, re.MULTILINE)
COMMANDS = re.findall(
    r"^\$ (cdk-ground-truth check .+)$", DOCS + (ROOT / "README.md").read_text(), re.MULTILINE
)
SAMPLES = re.findall(r"```python\nSemanticSegmentationLabelingJob\(\s*\.\.\.,(.+?)\n```", DOCS, re.DOTALL)
NAMES = {"corpus-input": "streets-photos", "corpus-output": "streets-labels", "corpus-": "streets-"}


def streets():
    """The good world under the document's names."""
    world = good_world()

    def named(text):
        text = text.replace("corpus-role", "streets").replace("corpus-team", "streets")
        for old, new in NAMES.items():
            text = text.replace(old, new)
        return text.replace('"corpus"', '"streets"')

    buckets = {
        named(name): replace(
            bucket,
            objects={
                key: named(body.decode("latin-1")).encode("latin-1") for key, body in bucket.objects.items()
            },
        )
        for name, bucket in world.buckets.items()
    }
    return replace(
        world,
        buckets=buckets,
        request=json.loads(named(json.dumps(world.request))),
        statements=json.loads(named(json.dumps(world.statements))),
        teams={"streets": ["ann", "bob", "cat"]},
    )


def test_each_check_has_its_row_in_the_order_in_which_they_are_told() -> None:
    assert [name for name, _ in ROWS] == list(CHECKS)


@pytest.mark.parametrize(("name", "otherwise"), ROWS)
def test_a_row_says_what_stops_a_deploy(name, otherwise) -> None:
    stops = name in {check for check, _ in BROKEN.values()}
    assert otherwise.startswith("error" if stops else "warning")


def test_the_example_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_SETTLE_SECONDS", 0.0)
    world = streets()
    photos = world.buckets["streets-photos"]
    uri = "s3://streets-photos/{}".format
    keys = ["day/a.jpg", "day/b.jpg", "night/c.jpg", "day/a.jpg", "day/d.jpg"]
    photos.objects["in.manifest"] = "".join(
        json.dumps({"source-ref": uri(key)}) + "\n" for key in keys
    ).encode()
    photos.objects["night/c.jpg"] = pictures.other("WEBP")
    del photos.objects["day/b.jpg"]
    drop(world, "s3:PutObject")
    world.teams["streets"].clear()
    with pytest.raises(DeployError) as caught:
        gate.passed(world.request, properties(world), client=FakeAws(world), context=CONTEXT)
    assert str(caught.value) == re.findall(r"```\n(Preflight: .+?)\n```", DOCS, re.DOTALL)[0]


def test_the_numbers_are_those_of_the_table() -> None:
    for number in (
        f"1 to {limits.OBJECTS_MAX:,} lines",
        f"{limits.AUTOMATED_LABELING_OBJECTS_MIN:,} or more",
        f"{limits.AUTOMATED_LABELING_OBJECTS_ADVISED:,} are advised",
        f"{limits.MANIFEST_LINE_MAX:,} characters a line, {limits.MANIFEST_ATTRIBUTE_MAX:,} an attribute",
        f"({limits.IMAGE_BYTES_MAX:,} bytes)",
        f"{limits.IMAGE_PIXELS_MAX // 1_000_000} million pixels",
        f"{limits.DIRECTORY_BYTES_MAX // 1_000_000_000} GB in all",
        f"at most {limits.CONCURRENT_TASKS_UNASKED:,} concurrent tasks",
        f"{headers.BYTES_MAX // 1024} KiB",
    ):
        assert number in DOCS


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = streets()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos.manifest").write_bytes(world.buckets["streets-photos"].objects["in.manifest"])
    (tmp_path / "labels.json").write_bytes(world.buckets["streets-photos"].objects["labels.json"])
    (tmp_path / "page.html").write_text(TEMPLATE)
    program, *arguments = shlex.split(command)
    assert program == "cdk-ground-truth"
    assert cli.main([*arguments, "--region", world.region], client=FakeAws(world)) == OK
    assert "3" in capsys.readouterr().out


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 4


PUBLIC = {name: getattr(cdk_ground_truth, name) for name in cdk_ground_truth.__all__}


@pytest.mark.parametrize("arguments", SAMPLES)
def test_the_samples_are_accepted(arguments, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(pictures.jpeg())
    stack = Stack(App(), "Streets")
    job = cdk_ground_truth.SemanticSegmentationLabelingJob(
        stack,
        "Job",
        images=cdk_ground_truth.Images.from_directory(tmp_path),
        labels=["road"],
        workteam=cdk_ground_truth.Workteam.from_workteam_arn(stack, "Team", streets().task["WorkteamArn"]),
        **eval(f"dict({arguments}", {**PUBLIC, "Duration": Duration}),
    )
    assert job.estimated_cost


def test_there_are_samples() -> None:
    assert len(SAMPLES) == 2
