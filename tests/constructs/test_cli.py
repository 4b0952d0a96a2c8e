"""`cdk-ground-truth check` says what the handler says, and what it didn't look at."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Never

import pytest

from cdk_ground_truth import cli
from cdk_ground_truth.command_line import FOUND, OK, USAGE
from labeling_job.contract import Images, JobProperties
from labeling_job.errors import DeployError
from labeling_job.preflight import access, gate
from labeling_job.rules.findings import CHECKS
from tests.corpus.broken import BROKEN
from tests.corpus.fake_aws import FakeAws
from tests.corpus.odd import ODD
from tests.corpus.world import INPUT, REGION, TEMPLATE, good_world

CHANGES = {name: change for name, (_, change) in BROKEN.items()} | ODD
#: What isn't about the manifest, or is about something that the command isn't given.
ANOTHER_JOB = {
    name
    for name, (check, _) in BROKEN.items()
    if check in ("cost-ceiling", "function-region", "output-overlap", "prior-labels")
    or "automated labeling" in name
    or "output" in name
    or name.startswith("verification")
    or name in ("role may not write", "adjustment: the earlier name again", "manifest in no bucket")
} | {name for name in ODD if "output" in name or name in ("adjustment") or name.startswith("verification")}
#: Where the handler finds the same of the output's bucket too.
ABOUT_OUTPUT_TOO = {"role may not read", "role may not find buckets", "role missing"}
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, log_group_name="group")


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]):
    """Run the command; its exit code and what it printed."""

    def run(*arguments, aws=None):
        capsys.readouterr()
        code = cli.main(["check", *map(str, arguments)], client=aws)
        return code, capsys.readouterr()

    return run


def world_of(name):
    world = good_world()
    CHANGES[name](world)
    return world


def arguments_of(world):
    """The command line that has all of a job."""
    source = world.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    ui = world.task["UiConfig"]["UiTemplateS3Uri"]
    return {
        "": source,
        "--categories": world.request["LabelCategoryConfigS3Uri"],
        "--template": ui,
        "--role": world.role_arn,
        "--workteam": world.task["WorkteamArn"],
        "--workers": str(world.task["NumberOfHumanWorkersPerDataObject"]),
        "--label-attribute-name": world.request["LabelAttributeName"],
        "--region": world.region,
    }


def line_of(arguments):
    return [word for pair in arguments.items() for word in pair if word] + ["--json"]


def by_the_handler(world, monkeypatch):
    """Groups of findings in the handler's S3 report."""
    monkeypatch.setattr(access, "_SETTLE_SECONDS", 0.0)
    aws = FakeAws(world)
    properties = JobProperties(
        job_name_prefix="c", images=Images(source="Manifest"), request={}, tags={}, preflight={}
    )
    with contextlib.suppress(DeployError):
        gate.passed(world.request, properties, client=aws, context=CONTEXT)
    [body] = aws.written.values()
    return json.loads(body)["findings"]


@pytest.mark.parametrize("name", sorted(set(CHANGES) - ANOTHER_JOB - ABOUT_OUTPUT_TOO))
def test_the_command_finds_what_the_handler_finds(check, monkeypatch: pytest.MonkeyPatch, name) -> None:
    world = world_of(name)
    found = by_the_handler(world, monkeypatch)
    code, printed = check(*line_of(arguments_of(world)), aws=FakeAws(world))
    result = json.loads(printed.out)
    assert result["findings"] == [group for group in found if group["check"] not in result["skipped_checks"]]
    assert code == (FOUND if name in BROKEN else OK)


@pytest.mark.parametrize("name", sorted(ABOUT_OUTPUT_TOO))
def test_of_a_role_it_finds_what_concerns_the_input(check, monkeypatch: pytest.MonkeyPatch, name) -> None:
    world = world_of(name)
    found = by_the_handler(world, monkeypatch)
    code, printed = check(*line_of(arguments_of(world)), aws=FakeAws(world))
    assert code == FOUND
    told = json.loads(printed.out)["findings"]
    assert {(group["check"], group["severity"]) for group in told} == {
        (group["check"], group["severity"]) for group in found
    }
    for group in told:
        [same] = [other for other in found if other["rule"] == group["rule"]]
        assert group["found"] and all(item in same["found"] for item in group["found"])


@pytest.mark.parametrize(
    "name", ["a bare URI", "no source-ref", "labels: BACKGROUND", "template: no form", "GIF"]
)
def test_files_of_this_machine_are_checked_as_those_in_s3(check, tmp_path: Path, name: str) -> None:
    world = world_of(name)
    in_s3 = arguments_of(world)
    on_disk = dict(in_s3)
    for option in ("", "--categories", "--template"):
        key = in_s3[option].removeprefix(f"s3://{INPUT}/")
        on_disk[option] = str(tmp_path / key)
        (tmp_path / key).write_bytes(world.input.objects.pop(key))
    code, printed = check(*line_of(on_disk), aws=FakeAws(world))
    world = world_of(name)
    assert (code, json.loads(printed.out)["findings"]) == (
        FOUND,
        json.loads(check(*line_of(in_s3), aws=FakeAws(world))[1].out)["findings"],
    )


def test_what_it_writes_and_creates_is_nothing(check) -> None:
    aws = FakeAws(good_world())
    assert check(*line_of(arguments_of(aws.world)), aws=aws)[0] == OK
    assert not aws.written and not aws.created


@pytest.fixture
def manifest(tmp_path: Path):
    path = tmp_path / "in.manifest"
    line = json.dumps({"source-ref": f"s3://{INPUT}/day/a.jpg"})
    path.write_text(f"{line}\n{line}\n")
    return path


class TestWords:
    def test_lines_rules_and_what_was_left_out(self, check, manifest) -> None:
        code, printed = check(manifest, "--labels", "road, sky", "--offline")
        lines = printed.out.splitlines()
        assert code == FOUND
        assert lines[0] == f"{manifest} (2 lines): 1 error, 0 warnings"
        assert lines[1].startswith("ERROR manifest-duplicates: no image may be there twice")
        assert lines[2] == f"  line 2: repeats line 1: s3://{INPUT}/day/a.jpg"
        assert "skipped, no --template: template" in lines
        assert any(line.startswith("skipped, --offline: ") and "image-exists" in line for line in lines)

    def test_only_a_few_of_many_are_printed(self, check, manifest) -> None:
        manifest.write_text(manifest.read_text() * 50)
        printed = check(manifest, "--offline")[1].out
        assert printed.count("repeats line 1") == 20
        assert "and 79 more, which --json prints" in printed

    def test_a_skipped_check(self, check, manifest) -> None:
        code, printed = check(manifest, "--offline", "--skip", "manifest-duplicates")
        assert code == OK
        assert "skipped, --skip: manifest-duplicates" in printed.out

    def test_all_checks_run_or_are_named_as_left_out(self, check) -> None:
        world = good_world()
        skipped_checks = json.loads(check(*line_of(arguments_of(world)), aws=FakeAws(world))[1].out)[
            "skipped_checks"
        ]
        assert set(skipped_checks) == {"prior-labels", "output-overlap", "quota", "cost-ceiling"}
        assert set(skipped_checks) <= set(CHECKS)


class TestOffline:
    def test_nobody_is_asked(self, check, manifest, tmp_path: Path) -> None:
        (tmp_path / "t.html").write_text(TEMPLATE)

        def client(service) -> Never:
            raise AssertionError(service)

        options = [
            "--labels",
            "road",
            "--template",
            tmp_path / "t.html",
            "--role",
            "arn:x",
            "--workteam",
            "y",
        ]
        code, printed = check(manifest, "--offline", "--region", REGION, *options, aws=client)
        assert (code, printed.out.count("ERROR")) == (FOUND, 1)

    def test_a_region_without_the_task_type(self, check, manifest) -> None:
        printed = check(manifest, "--offline", "--region", "eu-north-1")[1].out
        assert "ERROR function-region" in printed

    def test_an_object_in_s3_cant_be_read(self, check) -> None:
        code, printed = check("s3://bucket/in.manifest", "--offline")
        assert code == USAGE
        assert "--offline reads files of this machine alone, not s3://bucket/in.manifest" in printed.err


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["gone.manifest"], "there is no file gone.manifest"),
            (["s3://Bucket/x"], "not an object's S3 URI"),
            (["MANIFEST", "--categories", "gone.json"], "there is no file gone.json"),
            (["MANIFEST", "--template", "MANIFEST"], "--template needs --labels or --categories"),
        ],
    )
    def test_what_cant_be_checked(self, check, manifest, arguments, says: str) -> None:
        code, printed = check(*(manifest if word == "MANIFEST" else word for word in arguments))
        assert code == USAGE
        assert says in printed.err and not printed.out

    @pytest.mark.parametrize(
        "arguments", [[], ["--skip", "no-such-check"], ["--labels", "a", "--categories", "b"]]
    )
    def test_what_argparse_refuses(self, check, manifest, arguments) -> None:
        with pytest.raises(SystemExit) as caught:
            check(*([manifest, *arguments] if arguments else []))
        assert caught.value.code == USAGE

    @pytest.fixture
    def nobody(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A machine on which AWS isn't configured, nor is it a machine of AWS's."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))

    def test_without_a_region(self, check, manifest, nobody) -> None:
        code, printed = check(manifest)
        assert (code, "no Region; give --region" in printed.err) == (USAGE, True)

    def test_without_credentials(self, check, manifest, nobody) -> None:
        code, printed = check(manifest, "--region", REGION, "--endpoint-url", "http://127.0.0.1:9")
        assert (code, "Unable to locate credentials" in printed.err) == (USAGE, True)

    def test_without_boto3(self, check, manifest, monkeypatch: pytest.MonkeyPatch) -> None:
        # Another test of this process may have connected.
        monkeypatch.delitem(sys.modules, "cdk_ground_truth._handler.clients", raising=False)
        monkeypatch.setitem(sys.modules, "boto3", None)
        code, printed = check(manifest, "--region", REGION)
        assert (code, "pip install 'cdk-ground-truth[check]'" in printed.err) == (USAGE, True)


def test_as_a_process(manifest) -> None:
    command = [sys.executable, "-m", "cdk_ground_truth.cli", "check", str(manifest), "--offline", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == FOUND
    assert json.loads(done.stdout)["lines"] == 2


@pytest.mark.parametrize(
    ("asked", "read", "span"),
    [
        ("", b"0123456789", None),
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_file_of_this_machine_gives_no_more_than_the_range(
    asked: str, read: bytes, span: str | None, tmp_path: Path
) -> None:
    """Commands answered a range with all the rest of the file, where S3 ends with the range."""
    (tmp_path / "a.jpg").write_bytes(b"0123456789")
    answer = cli._Files(None, {}, "eu-west-1").get_object(
        Bucket=cli._DISK, Key=str(tmp_path / "a.jpg"), Range=asked
    )
    assert (answer["Body"].read(), answer["ContentLength"], answer.get("ContentRange")) == (
        read,
        len(read),
        span,
    )
