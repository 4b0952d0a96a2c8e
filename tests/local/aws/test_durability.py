"""What is answered is kept: over kills at any moment, and an error where it can't be."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from ground_truth_local import cli
from ground_truth_local.server import EmbeddedAws, EmbeddedAwsError
from tests.deep import deep

SERVICE = "stub_service:StubService"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}
    ],
}
OBJECTS = 40
#: Moments of labeling at which the server is killed.
KILLS = deep(3, 30)
#: So long that the job outlives the kills.
SECONDS_PER_TASK = deep(0.15, 1.0)
NO_RETRY = Config(retries={"total_max_attempts": 1})


def kill(aws) -> None:
    aws._process.kill()
    aws._process.wait()
    aws.stop()


def test_a_killed_server_goes_on_where_its_last_answer_was(tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, service=SERVICE).start()
    session = aws.session()
    session.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=json.dumps(TRUST))
    s3 = session.client("s3")
    s3.create_bucket(Bucket="kept")
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket="kept", CORSConfiguration={"CORSRules": [rule]})
    s3.put_object(Bucket="kept", Key="a", Body=b"picture")
    session.client("sqs").create_queue(QueueName="kept")
    session.client("ssm").put_parameter(Name="kept", Value="1", Type="String")
    pool = session.client("cognito-idp").create_user_pool(PoolName="kept")["UserPool"]["Id"]
    stack = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    session.client("cloudformation").create_stack(StackName="kept", TemplateBody=json.dumps(stack))
    session.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="kept", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    session.client("sns").create_topic(Name="last")
    session.client("logs").create_log_group(logGroupName="kept")
    kill(aws)
    with EmbeddedAws(tmp_path, service=SERVICE) as again:
        session = again.session()
        assert session.client("iam").get_role(RoleName="kept")
        assert session.client("s3").get_bucket_cors(Bucket="kept")["CORSRules"][0]["AllowedOrigins"] == ["*"]
        assert session.client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"picture"
        assert session.client("sqs").get_queue_url(QueueName="kept")
        groups = session.client("logs").describe_log_groups(logGroupNamePrefix="kept")["logGroups"]
        assert [group["logGroupName"] for group in groups] == ["kept"]
        assert session.client("ssm").get_parameter(Name="kept")["Parameter"]["Value"] == "1"
        assert session.client("cognito-idp").describe_user_pool(UserPoolId=pool)
        assert len(session.client("sns").list_topics()["Topics"]) == 2
        found = session.client("cloudformation").describe_stacks(StackName="kept")["Stacks"][0]
        assert found["StackStatus"] == "CREATE_COMPLETE"


def test_log_lines_wait_only_for_what_cannot_speak_of_their_groups(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from ground_truth_local.durability import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]))\n"
        "state = {'iam': 1, 'lambda': 1, 'cloudwatch_logs': 1}\n"
        "services = {name: lambda name=name: state[name] for name in state}\n"
        "steps = (('iam', True), ('iam', False), ('lambda', False), ('cloudwatch_logs', True))\n"
        "for changed, told in steps:\n"
        "    state[changed] += 1\n"
        "    state['cloudwatch_logs'] += 10\n"
        "    journal.write(services, told=told)\n"
        "    print(journal.load('iam'), journal.load('lambda'), journal.load('cloudwatch_logs'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:4] == ["2 1 11", "3 1 11", "3 2 31", "3 2 42"]


def test_a_disk_that_takes_nothing_is_an_error_to_the_client(tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, service=SERVICE).start()
    session = aws.session()
    s3 = session.client("s3", config=NO_RETRY)
    s3.create_bucket(Bucket="full")
    assert aws._process
    pid = aws._process.pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    # The kernel refuses each write beyond the limit, as it does on a full disk.
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
    thanked = []
    for number in range(20):
        try:
            s3.put_object(Bucket="full", Key=f"{number:02}", Body=b"picture")
            thanked.append(f"{number:02}")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InternalError"
            assert "can't write its state" in str(error)
    for refused in (
        lambda: session.client("sqs", config=NO_RETRY).create_queue(QueueName="full"),
        lambda: session.client("iam", config=NO_RETRY).create_user(UserName="full"),
        lambda: s3.create_bucket(Bucket="full-too"),
    ):
        with pytest.raises(ClientError, match="can't write its state"):
            refused()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    s3.put_object(Bucket="full", Key="later", Body=b"picture")
    kill(aws)
    with EmbeddedAws(tmp_path, service=SERVICE) as again:
        s3 = again.session().client("s3")
        kept = [each["Key"] for each in s3.list_objects_v2(Bucket="full").get("Contents", [])]
        assert set(kept) >= {*thanked, "later"}
        assert thanked == []


@pytest.mark.parametrize("folder", ["/proc/nobody-writes-here", "a-file/state"])
def test_a_folder_that_cannot_be_written_is_an_error_at_the_start(
    tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-file").write_text("no folder")
    # Not by a mode: root writes everywhere, but in what isn't a folder of a disk.
    state = tmp_path / folder
    with pytest.raises(EmbeddedAwsError, match=r"state directory .* can't be written: .*Choose another"):
        EmbeddedAws(state, service=SERVICE).start()
    assert cli.main(["serve", "--port", "0", "--state-dir", str(state)]) == 1
    assert "can't be written" in capsys.readouterr().err


def test_a_disk_that_goes_away_meanwhile_is_an_error_to_the_client(tmp_path: Path) -> None:
    with EmbeddedAws(tmp_path, service=SERVICE) as aws:
        s3 = aws.session().client("s3", config=NO_RETRY)
        s3.create_bucket(Bucket="gone")
        s3.put_object(Bucket="gone", Key="kept", Body=b"picture")
        aws.state.s3.rename(tmp_path / "elsewhere")
        aws.state.s3.write_text("no folder")
        with pytest.raises(ClientError, match="can't write its state") as refused:
            s3.put_object(Bucket="gone", Key="lost", Body=b"picture")
        assert refused.value.response["Error"]["Code"] == "InternalError"
        aws.state.s3.unlink()
        (tmp_path / "elsewhere").rename(aws.state.s3)
        s3.put_object(Bucket="gone", Key="later", Body=b"picture")
        assert s3.get_object(Bucket="gone", Key="later")["Body"].read() == b"picture"


@pytest.mark.attack("another user of the machine", "the embedded AWS's state", attempts=15)
def test_nobody_else_on_the_machine_reads_what_is_kept(tmp_path: Path) -> None:
    """Another user walks all of a running server's folder, which was open to all before."""
    folder = tmp_path / "state"
    (folder / "s3" / "old").mkdir(parents=True)
    (folder / "s3" / "old" / "picture").write_text("from before")
    for path in (folder, folder / "s3", folder / "s3" / "old"):
        path.chmod(0o777)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(path.stat().st_mode | 0o055)
    walk = (
        "import os, sys\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    kind, path = line[0], line[2:]\n"
        "    try:\n"
        "        os.listdir(path) if kind == 'd' else open(path, 'rb').read(1)\n"
        "    except PermissionError:\n"
        "        continue\n"
        "    print(path)\n"
    )
    with EmbeddedAws(folder, service=SERVICE) as aws:
        session = aws.session()
        session.client("s3").create_bucket(Bucket="private")
        session.client("s3").put_object(Bucket="private", Key="a/b", Body=b"picture")
        session.client("iam").create_user(UserName="private")
        found = []
        for place, _, files in os.walk(folder):
            found += [f"d {place}", *(f"f {os.path.join(place, name)}" for name in files)]
        assert len(found) > 15
        loose = [line for line in found if os.lstat(line[2:]).st_mode & 0o077]
        assert loose == []
        if os.getuid() == 0:
            read = subprocess.run(
                [sys.executable, "-c", walk], input="\n".join(found), capture_output=True, text=True
            )
            assert (read.returncode, read.stdout, read.stderr) == (0, "", "")


def labeling(aws) -> str:
    """Start a job of small pictures; return its name."""
    session = aws.session()
    s3, iam = session.client("s3"), session.client("iam")
    s3.create_bucket(Bucket="pictures")
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
    rule["ExposeHeaders"] = ["Access-Control-Allow-Origin"]
    s3.put_bucket_cors(Bucket="pictures", CORSConfiguration={"CORSRules": [rule]})
    lines = []
    for number in range(OBJECTS):
        picture = io.BytesIO()
        Image.new("RGB", (24, 16), (number * 5 % 256, 90, 120)).save(picture, "PNG")
        s3.put_object(Bucket="pictures", Key=f"{number:03}.png", Body=picture.getvalue())
        lines.append(json.dumps({"source-ref": f"s3://pictures/{number:03}.png"}))
    labels = {"document-version": "2018-11-28", "labels": [{"label": "road"}, {"label": "sky"}]}
    template = (
        "<script src='https://assets.crowd.aws/crowd-html-elements.js'></script><crowd-form>"
        "<crowd-semantic-segmentation name='crowd-semantic-segmentation'"
        ' src="{{ task.input.taskObject | grant_read_access }}" header="Paint"'
        " labels='{{ task.input.labels | to_json | escape }}'>"
        '<full-instructions header="How">x</full-instructions><short-instructions>x</short-instructions>'
        "</crowd-semantic-segmentation></crowd-form>"
    )
    for key, body in {
        "in.manifest": "\n".join(lines),
        "labels.json": json.dumps(labels),
        "page.liquid.html": template,
    }.items():
        s3.put_object(Bucket="pictures", Key=key, Body=body.encode())
    role = iam.create_role(RoleName="labeler", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="labeler",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    lambdas = "arn:aws:lambda:us-east-1:432418664414:function"
    session.client("sagemaker").create_labeling_job(
        LabelingJobName="killed",
        LabelAttributeName="killed-ref",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://pictures/in.manifest"}}},
        OutputConfig={"S3OutputPath": "s3://pictures/out"},
        RoleArn=role,
        LabelCategoryConfigS3Uri="s3://pictures/labels.json",
        HumanTaskConfig={
            "WorkteamArn": aws.create_workteam("annotators", ["ada@example.com"]),
            "UiConfig": {"UiTemplateS3Uri": "s3://pictures/page.liquid.html"},
            "PreHumanTaskLambdaArn": f"{lambdas}:PRE-SemanticSegmentation",
            "TaskTitle": "Paint",
            "TaskDescription": "Paint",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": f"{lambdas}:ACS-SemanticSegmentation"
            },
        },
    )
    return "killed"


def test_kills_at_random_moments_of_labeling_lose_no_thanked_answer(tmp_path: Path, record_property) -> None:
    moments = random.Random(20_261_126)
    aws = EmbeddedAws(tmp_path, simulated_workers=True, seconds_per_task=SECONDS_PER_TASK).start()
    name, labeled, kills = labeling(aws), 0, 0
    try:
        while True:
            client, until = aws.session().client("sagemaker"), time.monotonic() + moments.uniform(0.1, 1.5)
            status = ""
            while time.monotonic() < until or kills >= KILLS:
                job = client.describe_labeling_job(LabelingJobName=name)
                status = job["LabelingJobStatus"]
                # What was told once is never taken back.
                assert job["LabelCounters"]["HumanLabeled"] >= labeled
                labeled = job["LabelCounters"]["HumanLabeled"]
                if status not in ("Initializing", "InProgress"):
                    break
            if status not in ("Initializing", "InProgress"):
                break
            kill(aws)
            kills += 1
            aws.start()
        assert status == "Completed", job.get("FailureReason")
        s3 = aws.session().client("s3")
        manifest = s3.get_object(Bucket="pictures", Key="out/killed/manifests/output/output.manifest")
        lines = [json.loads(line) for line in manifest["Body"].read().splitlines()]
        assert len(lines) == OBJECTS
        assert all("killed-ref" in line for line in lines)
    finally:
        aws.stop()
    assert kills == KILLS
    record_property(
        "told", f"embedded AWS: {kills} kills of the server while it labels, 0 thanked answers lost"
    )
