"""Starting, stopping, state, and that nothing is left behind."""

from __future__ import annotations

import configparser
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ground_truth_local import cli
from ground_truth_local.server import EmbeddedAws, EmbeddedAwsError

SERVICE = "stub_service:StubService"


def wait_until(condition, seconds=10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_state_survives_a_stop_and_a_restart(tmp_path: Path) -> None:
    with EmbeddedAws(tmp_path, service=SERVICE) as aws:
        keys = aws.environment["AWS_ACCESS_KEY_ID"]
        s3 = aws.session().client("s3")
        s3.create_bucket(Bucket="kept")
        s3.put_object(Bucket="kept", Key="a", Body=b"picture")
        iam = aws.session().client("iam")
        iam.create_user(UserName="kept")
        aws.session().client("sns").create_topic(Name="kept")
        assert stat.S_IMODE(aws.state.credentials.stat().st_mode) == 0o600
    with EmbeddedAws(tmp_path, service=SERVICE) as aws:
        assert aws.environment["AWS_ACCESS_KEY_ID"] == keys
        assert aws.session().client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"picture"
        assert aws.session().client("iam").get_user(UserName="kept")
        assert aws.session().client("sns").list_topics()["Topics"]
        found = aws.session().client("cloudformation").describe_stacks(StackName="CDKToolkit")["Stacks"]
        assert found[0]["StackStatus"] == "CREATE_COMPLETE"


def test_one_directory_one_server(tmp_path: Path) -> None:
    with (
        EmbeddedAws(tmp_path, service=SERVICE),
        pytest.raises(EmbeddedAwsError, match="in use by another embedded AWS"),
    ):
        EmbeddedAws(tmp_path, service=SERVICE).start()


def test_a_start_that_fails_says_why_and_leaves_nothing() -> None:
    aws = EmbeddedAws(service="stub_service:Missing")
    with pytest.raises(EmbeddedAwsError, match="has no attribute 'Missing'"):
        aws.start()
    assert not aws.running
    assert not aws.state.root.exists()
    with pytest.raises(EmbeddedAwsError, match="not running"):
        _ = aws.endpoint_url


def test_a_taken_port_is_named() -> None:
    with EmbeddedAws(service=SERVICE) as first:
        port = int(first.endpoint_url.rpartition(":")[2])
        with pytest.raises(EmbeddedAwsError, match=rf"did not start: Port {port} .* in use.*Choose another"):
            EmbeddedAws(service=SERVICE, port=port).start()


def test_nothing_is_left_behind() -> None:
    aws = EmbeddedAws(service=SERVICE)
    with aws:
        assert aws._process
        pid, endpoint, root = aws._process.pid, aws.endpoint_url, aws.state.root
        assert root.exists()
    assert not alive(pid)
    assert not root.exists()
    # An answer of any kind would be an HTTPError, which is one, too.
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(endpoint, timeout=1)


def test_the_server_ends_and_cleans_up_when_its_parent_is_killed() -> None:
    script = (
        "import sys, time; from ground_truth_local.server import EmbeddedAws; "
        f"aws = EmbeddedAws(service={SERVICE!r}).start(); "
        "print(aws._process.pid, aws.state.root, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid, root = parent.stdout.readline().split()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not alive(int(pid)))
    assert not Path(root).exists()


def test_the_server_ends_with_its_parent_while_a_custom_resource_is_waited_for() -> None:
    template = {
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": "sts:AssumeRole",
                                "Principal": {"Service": "lambda.amazonaws.com"},
                            }
                        ],
                    }
                },
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"ZipFile": "def handler(event, context):\n    print('never answers')\n"},
                    "Handler": "index.handler",
                    "Runtime": "python3.13",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                },
            },
            "Custom": {
                "Type": "Custom::Silent",
                "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}},
            },
        }
    }
    script = (
        "import sys, time; from ground_truth_local.server import EmbeddedAws; "
        f"aws = EmbeddedAws(service={SERVICE!r}).start(); "
        "client = aws.session().client('cloudformation'); "
        f"client.create_stack(StackName='Silent', TemplateBody={json.dumps(template)!r},"
        " Capabilities=['CAPABILITY_IAM']); "
        "logs = aws.session().client('logs'); "
        "seen = lambda: any('Silent' in g['logGroupName'] for g in logs.describe_log_groups()['logGroups'])\n"
        "while not seen(): time.sleep(0.1)\n"
        "print(aws._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not alive(pid), seconds=30)


def test_the_users_own_aws_set_up_does_not_matter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "production")
    with EmbeddedAws(tmp_path, service=SERVICE) as other:
        assert "AWS_PROFILE" not in other.environment
        assert other.session().client("sts").get_caller_identity()["Account"] == other.account


def test_another_region_can_be_bootstrapped(aws) -> None:
    aws.bootstrap("eu-west-1")
    aws.bootstrap("eu-west-1")
    names = [each["Name"] for each in aws.session().client("s3").list_buckets()["Buckets"]]
    assert "cdk-hnb659fds-assets-111122223333-eu-west-1" in names
    aws.session("deploy").client("sts").assume_role(
        RoleArn="arn:aws:iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-eu-west-1",
        RoleSessionName="session",
    )


def test_a_work_team_is_made_once(aws) -> None:
    first = aws.create_workteam("annotators", ["ada@example.com"])
    assert first == "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
    assert aws.create_workteam("annotators") == first
    pools = aws.session().client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    assert [pool["Name"] for pool in pools] == ["annotators-workers"]


def test_the_command_prints_lines_to_paste_and_leaves_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ground_truth_local.cli", "serve", "--port=0", f"--state-dir={tmp_path}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line.rstrip())
        if "Ctrl-C" in line:
            break
    exports = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    assert exports["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert exports["CDK_HOME"] == str(tmp_path / "cdk-home")
    profiles = configparser.ConfigParser(interpolation=None)
    profiles.read(exports["AWS_CONFIG_FILE"])
    mine = profiles[f"profile {exports['AWS_PROFILE']}"]
    assert mine["aws_access_key_id"].startswith("AKIA")
    assert mine["endpoint_url"] == exports["AWS_ENDPOINT_URL"]
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 0
    process.stdout.close()
    # An answer of any kind would be an HTTPError, which is one, too.
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(exports["AWS_ENDPOINT_URL"], timeout=1)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_command_says_in_one_line_what_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with EmbeddedAws(tmp_path, service=SERVICE):
        assert cli.main(["serve", "--port=0", f"--state-dir={tmp_path}"]) == 1
    assert "Error: " in capsys.readouterr().err


def test_unknown_buckets_are_errors_not_crashes(aws) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        aws.session().client("s3").get_object(Bucket="nowhere-at-all", Key="a")


def test_who_needs_no_address_does_not_wait(tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, service=SERVICE).launch()
    taken: list[str] = []
    try:
        # A process that has just begun has no address yet, so this doesn't wait for it, and the step does.
        aws.when_ready(lambda: taken.append(aws.endpoint_url))
        assert not taken and aws.running
        address = aws.endpoint_url
        assert taken == [address]
        aws.when_ready(lambda: taken.append("at once"))
        assert taken == [address, "at once"]
        assert aws.session().client("sts").get_caller_identity()["Account"] == aws.account
    finally:
        aws.stop()


def test_all_who_ask_at_once_hear_the_address(tmp_path: Path) -> None:
    aws = EmbeddedAws(tmp_path, service=SERVICE).launch()
    taken: list[str] = []
    gate = threading.Barrier(4)

    def ask(_: int) -> tuple[str, list[str]]:
        gate.wait()
        return aws.endpoint_url, list(taken)

    try:
        aws.when_ready(lambda: (time.sleep(0.5), taken.append(aws.endpoint_url)))
        with ThreadPoolExecutor(4) as pool:
            heard = list(pool.map(ask, range(4)))
        assert aws.running
        # The server tells it once; and nobody goes on before the step was taken.
        assert heard == [(aws.endpoint_url, [aws.endpoint_url])] * 4
    finally:
        aws.stop()


def test_who_asks_first_hears_why_it_never_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        aws = EmbeddedAws(tmp_path, service=SERVICE, port=taken.getsockname()[1]).launch()
        for _ in range(2):
            with pytest.raises(EmbeddedAwsError, match="is not free"):
                aws.session()
        assert not aws.running
