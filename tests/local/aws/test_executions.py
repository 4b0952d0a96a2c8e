"""State machines as a campaign of jobs needs them: tokens, Maps of few at a time, stops, permissions."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections import Counter
from typing import Any

import pytest

CODE = """
import json, os, boto3

def handler(event, context):
    if event.get("fail"):
        raise KeyError(event["fail"])
    if "token" in event:
        boto3.client("s3").put_object(
            Bucket=event["bucket"], Key=event["key"], Body=json.dumps(event).encode()
        )
    return event
"""
BUCKET = "tokens-of-executions"


def role(admin: Any, principal: str, *actions: str, only: Any = None) -> str:
    iam, name = admin.client("iam"), f"role-{time.monotonic_ns()}"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": principal}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", *actions], "Resource": "*"}
    allow |= {"Condition": only} if only else {}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return str(arn)


@pytest.fixture(scope="module")
def function(admin: Any) -> str:
    admin.client("s3").create_bucket(Bucket=BUCKET)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.py", CODE)
    made = admin.client("lambda").create_function(
        FunctionName="tells-its-token",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role(admin, "lambda.amazonaws.com", "s3:PutObject"),
        Code={"ZipFile": file.getvalue()},
        Timeout=30,
    )
    return str(made["FunctionArn"])


@pytest.fixture
def machine(admin: Any):
    """Make a state machine of the states and start it; describe it with `settled`."""
    states = admin.client("stepfunctions")

    def start(definition: dict[str, Any], *actions: str, given: Any = None, only: Any = None) -> str:
        made = states.create_state_machine(
            name=f"machine-{time.monotonic_ns()}",
            definition=json.dumps(definition),
            roleArn=role(admin, "states.amazonaws.com", *actions, only=only),
        )
        started = states.start_execution(
            stateMachineArn=made["stateMachineArn"], input=json.dumps(given or {})
        )
        return str(started["executionArn"])

    return start


def settled(admin: Any, execution: str) -> Any:
    states = admin.client("stepfunctions")
    for _ in range(400):
        found = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.05)
    raise AssertionError("the execution doesn't end")


def told(admin: Any, key: str, *, within: float = 15) -> dict[str, Any]:
    """What the function wrote down."""
    s3, until = admin.client("s3"), time.monotonic() + within
    while time.monotonic() < until:
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents", [])
        if found:
            return dict(json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
        time.sleep(0.05)
    raise AssertionError(f"there is no {key}")


def waiting(function: str, key: str, **more: Any) -> dict[str, Any]:
    payload = {"token.$": "$$.Task.Token", "bucket": BUCKET, "key.$" if key.startswith("$") else "key": key}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": function, "Payload": payload},
        **more,
    }


def mapped(function: str, key: str) -> dict[str, Any]:
    job = waiting(function, "$.key", End=True)
    return {
        "StartAt": "Jobs",
        "States": {
            "Jobs": {
                "Type": "Map",
                "ItemsPath": "$.jobs",
                "MaxConcurrency": 2,
                "ItemSelector": {"key.$": f"States.Format('{key}-{{}}', $$.Map.Item.Value)"},
                "ItemProcessor": {"StartAt": "Job", "States": {"Job": job}},
                "End": True,
            }
        },
    }


def test_a_task_waits_for_its_token(admin, function: str, machine) -> None:
    definition = {"StartAt": "T", "States": {"T": waiting(function, "one", End=True)}}
    execution = machine(definition, "lambda:InvokeFunction")
    token = told(admin, "one")["token"]
    admin.client("stepfunctions").send_task_success(taskToken=token, output='{"status": "Completed"}')
    found = settled(admin, execution)
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"status": "Completed"})


def test_a_request_that_fails_fails_its_task_and_waits_for_nobody(admin, function: str, machine) -> None:
    task = waiting(function, "never", End=True)
    task["Parameters"]["Payload"]["fail"] = "no such image"
    found = settled(admin, machine({"StartAt": "T", "States": {"T": task}}, "lambda:InvokeFunction"))
    assert (found["status"], found["error"]) == ("FAILED", "KeyError")
    assert "no such image" in found["cause"]


@pytest.mark.parametrize("resource", ["lambda:invoke", "lambda:invoke.waitForTaskToken"])
def test_a_role_that_may_not_invoke_fails_the_task(admin, function: str, machine, resource: str) -> None:
    task = {**waiting(function, "denied", End=True), "Resource": f"arn:aws:states:::{resource}"}
    if "wait" not in resource:
        task["Parameters"] = {"FunctionName": function, "Payload": {}}
    found = settled(admin, machine({"StartAt": "T", "States": {"T": task}}))
    assert (found["status"], found["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "not authorized to perform: lambda:InvokeFunction" in found["cause"]


def test_a_role_that_may_not_put_events_fails_the_task(admin, machine) -> None:
    entry = {"Source": "campaign", "DetailType": "Over", "Detail": {"labeled": 1}}
    task = {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "End": True}
    definition = {"StartAt": "T", "States": {"T": {**task, "Parameters": {"Entries": [entry]}}}}
    found = settled(admin, machine(definition))
    assert "not authorized to perform: events:PutEvents" in found["cause"]
    assert settled(admin, machine(definition, "events:PutEvents"))["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("source", "status"), [("campaign", "SUCCEEDED"), ("other", "FAILED")])
def test_whose_events_a_role_may_put(admin, machine, source: str, status: str) -> None:
    entry = {"Source": source, "DetailType": "Over", "Detail": {}}
    task = {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "End": True}
    only = {"StringEquals": {"events:source": "campaign"}}
    definition = {"StartAt": "T", "States": {"T": {**task, "Parameters": {"Entries": [entry]}}}}
    found = settled(admin, machine(definition, "events:PutEvents", only=only))
    assert found["status"] == status


def test_a_map_has_few_at_a_time_and_its_history_tells_of_all(admin, function: str, machine) -> None:
    states = admin.client("stepfunctions")
    execution = machine(mapped(function, "map"), "lambda:InvokeFunction", given={"jobs": [0, 1, 2]})
    for number in (0, 1):
        told(admin, f"map-{number}")
    time.sleep(0.5)
    assert "Contents" not in admin.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="map-2")
    for number in (0, 1, 2):
        states.send_task_success(taskToken=told(admin, f"map-{number}")["token"], output=str(number))
    found = settled(admin, execution)
    assert json.loads(found["output"]) == [0, 1, 2]
    events = states.get_execution_history(executionArn=execution, maxResults=100)["events"]
    counts = Counter(event["type"] for event in events)
    each = (
        "MapIterationStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "MapIterationSucceeded",
    )
    assert {kind: counts[kind] for kind in each} == dict.fromkeys(each, 3)
    scheduled = next(event for event in events if event["type"] == "TaskScheduled")
    details = scheduled["taskScheduledEventDetails"]
    assert (details["resourceType"], details["region"]) == ("lambda", "us-east-1")
    assert details["resource"] == "invoke.waitForTaskToken"
    assert json.loads(details["parameters"])["FunctionName"] == function
    succeeded = next(event for event in events if event["type"] == "TaskSucceeded")
    assert succeeded["taskSucceededEventDetails"]["resource"] == "invoke.waitForTaskToken"


def test_what_has_no_value_yet_is_not_in_an_answer(admin, function: str, machine) -> None:
    given: dict[str, Any] = {}
    states = admin.client("stepfunctions")
    states.meta.events.register("before-parse", lambda response_dict, **_: given.update(response_dict))
    execution = machine(mapped(function, "yet"), "lambda:InvokeFunction", given={"jobs": [0]})
    states.describe_execution(executionArn=execution)
    assert b'"startDate"' in given["body"] and b"null" not in given["body"]
    states.send_task_success(taskToken=told(admin, "yet-0")["token"], output="0")
    assert settled(admin, execution)["output"] == "[0]"


def test_a_stopped_execution_starts_nothing_more(admin, function: str, machine) -> None:
    states = admin.client("stepfunctions")
    execution = machine(mapped(function, "stop"), "lambda:InvokeFunction", given={"jobs": [0, 1, 2]})
    tokens = [told(admin, f"stop-{number}")["token"] for number in (0, 1)]
    states.stop_execution(executionArn=execution)
    time.sleep(1)
    for token in tokens:
        with pytest.raises(states.exceptions.TaskDoesNotExist):
            states.send_task_success(taskToken=token, output="{}")
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
    assert "Contents" not in admin.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="stop-2")
    last = states.get_execution_history(executionArn=execution, reverseOrder=True)["events"][0]
    assert last["type"] == "ExecutionAborted"


def test_who_answers_a_token_may_on_its_state_machine(admin, function: str, machine, user) -> None:
    definition = {"StartAt": "T", "States": {"T": waiting(function, "whose", End=True)}}
    execution = machine(definition, "lambda:InvokeFunction")
    answer = {"taskToken": told(admin, "whose")["token"], "output": "{}"}
    arn = admin.client("stepfunctions").describe_execution(executionArn=execution)["stateMachineArn"]
    allow = {"Effect": "Allow", "Action": "states:SendTaskSuccess"}
    stranger = user({**allow, "Resource": f"{arn}-other"}).client("stepfunctions")
    with pytest.raises(stranger.exceptions.ClientError, match="not authorized to perform"):
        stranger.send_task_success(**answer)
    friend = user({**allow, "Resource": arn}).client("stepfunctions")
    friend.send_task_success(**answer)
    assert settled(admin, execution)["status"] == "SUCCEEDED"
    # Nobody waits any more, and the friend is told so.
    with pytest.raises(friend.exceptions.TaskDoesNotExist):
        friend.send_task_success(**answer)
