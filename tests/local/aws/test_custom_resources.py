"""Custom resources and Lambda, as AWS runs them; fails where MiniStack does otherwise, or has changed."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROLE = {
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
        },
        "Policies": [
            {
                "PolicyName": "p",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:ListBucket"], "Resource": "*"}
                    ],
                },
            }
        ],
    },
}


@pytest.fixture(scope="module")
def code(admin):
    """The custom resource's code in a bucket, and an empty bucket for its records."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(Path(__file__).parent / "custom_resource" / "index.py", "index.py")
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="lambda-code")
    s3.put_object(Bucket="lambda-code", Key="code.zip", Body=archive.getvalue())
    return {"S3Bucket": "lambda-code", "S3Key": "code.zip"}


@pytest.fixture
def records(admin):
    """Give a bucket's name, and a function that lists what the custom resource recorded there."""
    s3 = admin.client("s3")
    name = f"records-{time.monotonic_ns()}"
    s3.create_bucket(Bucket=name)

    def read():
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=name).get("Contents", [])]
        return [json.loads(s3.get_object(Bucket=name, Key=key)["Body"].read()) for key in keys]

    return name, read


def custom(code, records, **properties):
    function = {
        "Code": code,
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Timeout": 20,
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
    }
    return {
        "Role": ROLE,
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Custom": {
            "Type": "Custom::Probe",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                "ServiceTimeout": "30",
                "Records": records,
                **properties,
            },
        },
    }


def test_the_handler_runs_as_its_role_and_logs_where_told(stack, admin, code, records) -> None:
    outputs: dict[str, Any] = {
        name: {"Value": {"Fn::GetAtt": ["Custom", name]}} for name in ("Caller", "Denied", "Log", "Home")
    }
    outputs["Properties"] = {"Value": {"Fn::GetAtt": ["Custom", "Properties"]}}
    outputs["Group"] = {"Value": {"Ref": "Log"}}
    resources = custom(code, records[0], Flag=True, Number=3, Nested={"List": [1, False]})
    made = stack(resources, outputs=outputs)
    assert made["StackStatus"] == "CREATE_COMPLETE", made["Reasons"]
    found = made["Outputs"]
    assert ":assumed-role/" in found["Caller"]
    assert "not authorized to perform: s3:ListAllMyBuckets" in found["Denied"]
    assert found["Log"] == found["Group"]
    assert found["Home"] != str(Path.home())
    properties = json.loads(found["Properties"])
    assert (properties["Flag"], properties["Number"]) == ("true", "3")
    assert properties["Nested"] == {"List": ["1", "false"]}
    logs = admin.client("logs")
    group = logs.describe_log_groups(logGroupNamePrefix=found["Group"])["logGroups"][0]
    assert group["retentionInDays"] == 7
    messages = [e["message"] for e in logs.filter_log_events(logGroupName=found["Group"])["events"]]
    assert any("request Create" in message for message in messages)


def test_a_crashed_handler_gets_the_same_event_again(stack, code, records) -> None:
    name, read = records
    made = stack(custom(code, name, CrashTimes="2"))
    assert made["StackStatus"] == "CREATE_COMPLETE", made["Reasons"]
    requests = read()
    assert [each["type"] for each in requests] == ["Create"] * 3
    assert len({each["id"] for each in requests}) == 1


def test_a_failed_create_is_told_and_gets_a_delete_with_its_physical_id(stack, code, records) -> None:
    name, read = records
    made = stack(custom(code, name, Fail="true"))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "failed as asked" in made["Reasons"]
    assert [(each["type"], each["physical"]) for each in read()] == [("Create", None), ("Delete", "probe-1")]


def test_a_handler_that_never_answers_fails_after_the_service_timeout(stack, code, records) -> None:
    name, read = records
    resources = custom(code, name, ServiceTimeout="5", Silent="true")
    made = stack(resources)
    assert made["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert "did not receive a response" in made["Reasons"]
    assert read()[-1]["type"] == "Delete"


def test_a_handler_that_fails_three_times_is_named_and_nobody_waits_an_hour(stack, code, records) -> None:
    name, read = records
    made = stack(custom(code, name, CrashTimes="3", ServiceTimeout="3600"))
    assert made["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert "Its function failed 3 times" in made["Reasons"]
    assert "crashed as asked" in made["Reasons"]
    assert read()[-1]["type"] == "Delete"


@pytest.mark.parametrize(
    ("runtime", "source", "named"),
    [
        ("nodejs22.x", "require('@aws-sdk/client-of-nobody');", "@aws-sdk/client-of-nobody"),
        ("ruby3.4", "def handler; end", "ruby3.4"),
    ],
)
def test_a_function_that_cannot_run_fails_with_a_name(stack, runtime: str, source: str, named: str) -> None:
    function: dict[str, Any] = {"Code": {"ZipFile": source}, "Handler": "index.handler", "Runtime": runtime}
    function["Role"] = {"Fn::GetAtt": ["Role", "Arn"]}
    token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
    made = stack(
        {
            "Role": ROLE,
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Custom": {"Type": "Custom::Probe", "Properties": token},
        }
    )
    assert made["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert named in made["Reasons"]


def test_node_handlers_have_the_sdk_of_their_runtime(stack) -> None:
    source = """
        const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
        exports.handler = async (event) => {
            const who = await new STSClient({}).send(new GetCallerIdentityCommand({}));
            const body = { Status: "SUCCESS", PhysicalResourceId: "x", Data: { Who: who.Arn } };
            const names = ["StackId", "RequestId", "LogicalResourceId"];
            for (const name of names) body[name] = event[name];
            await fetch(event.ResponseURL, { method: "PUT", body: JSON.stringify(body) });
        };"""
    function: dict[str, Any] = {
        "Code": {"ZipFile": source},
        "Handler": "index.handler",
        "Runtime": "nodejs24.x",
    }
    function |= {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Timeout": 60}
    token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
    made = stack(
        {
            "Role": ROLE,
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Custom": {"Type": "Custom::Probe", "Properties": token},
        },
        outputs={"Who": {"Value": {"Fn::GetAtt": ["Custom", "Who"]}}},
    )
    assert made["StackStatus"] == "CREATE_COMPLETE", made["Reasons"]
    assert ":assumed-role/" in made["Outputs"]["Who"]


def test_a_layers_programs_are_under_opt(stack, admin) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("tool/hello", "#!/var/lang/bin/python\nprint('hello from the layer')\n")
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="layer-code")
    s3.put_object(Bucket="layer-code", Key="layer.zip", Body=archive.getvalue())
    source = (
        "import json, subprocess, urllib.request\n"
        "def handler(event, context):\n"
        "    said = subprocess.check_output(['/opt/tool/hello']).decode().strip()\n"
        "    body = {'Status': 'SUCCESS', 'PhysicalResourceId': 'x', 'Data': {'Said': said}}\n"
        "    body |= {name: event[name] for name in ('StackId', 'RequestId', 'LogicalResourceId')}\n"
        "    data = json.dumps(body).encode()\n"
        "    urllib.request.urlopen(urllib.request.Request(event['ResponseURL'], data, method='PUT'))\n"
    )
    layer = {"Content": {"S3Bucket": "layer-code", "S3Key": "layer.zip"}}
    function: dict[str, Any] = {
        "Code": {"ZipFile": source},
        "Handler": "index.handler",
        "Runtime": "python3.13",
    }
    function |= {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Layers": [{"Ref": "Layer"}], "Timeout": 30}
    made = stack(
        {
            "Role": ROLE,
            "Layer": {"Type": "AWS::Lambda::LayerVersion", "Properties": layer},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Custom": {
                "Type": "Custom::Probe",
                "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}},
            },
        },
        outputs={"Said": {"Value": {"Fn::GetAtt": ["Custom", "Said"]}}},
    )
    assert made["StackStatus"] == "CREATE_COMPLETE", made["Reasons"]
    assert made["Outputs"]["Said"] == "hello from the layer"


def test_a_response_over_4096_bytes_fails(stack, code, records) -> None:
    made = stack(custom(code, records[0], Padding="x" * 4000))
    # The Delete's response is as long, so the rollback fails, too.
    assert made["StackStatus"] == "ROLLBACK_FAILED"
    assert "Response object is too long" in made["Reasons"]


def test_an_update_with_a_new_id_deletes_the_old_one(stack, code, records) -> None:
    name, read = records
    made = stack(custom(code, name))
    changed = stack(custom(code, name, Version="2"), name=made["StackName"], update=True)
    assert changed["StackStatus"] == "UPDATE_COMPLETE", changed["Reasons"]
    expected = [("Create", None), ("Update", "probe-1"), ("Delete", "probe-1")]
    assert [(each["type"], each["physical"]) for each in read()] == expected


def test_a_role_that_lambda_may_not_assume_is_refused(stack, code, records) -> None:
    resources = custom(code, records[0])
    role = json.loads(json.dumps(ROLE))
    statement = role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"]["Service"] = "sagemaker.amazonaws.com"
    made = stack({**resources, "Role": role})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "cannot be assumed by Lambda" in made["Reasons"]
