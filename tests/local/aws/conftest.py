"""A server with a stand-in for the Ground Truth service, shared by this folder's tests."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from ground_truth_local.server import EmbeddedAws

HERE = Path(__file__).parent
SERVICE = "stub_service:StubService"


@pytest.fixture
def stand_ins() -> tuple[str, ...]:
    return ("sagemaker.",)


@pytest.fixture(scope="session", autouse=True)
def stub_on_path():
    old = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), old]))
    yield
    if old is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = old


@pytest.fixture(scope="session")
def aws(stub_on_path):
    with EmbeddedAws(service=SERVICE) as aws:
        yield aws


@pytest.fixture(scope="session")
def admin(aws):
    return aws.session()


@pytest.fixture
def user(aws, admin):
    """Give a function that makes an IAM user with the statements, and returns a session as that user."""
    iam = admin.client("iam")
    made = []

    def make(*statements):
        name = f"user-{time.monotonic_ns()}"
        iam.create_user(UserName=name)
        made.append(name)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        from ground_truth_local.session import GatewaySession

        return GatewaySession(
            aws.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            region_name=aws.region,
        )

    yield make


@pytest.fixture
def stack(admin):
    """Give a function that creates (or updates) a stack from resources and returns its description."""
    client = admin.client("cloudformation")
    made = []

    def run(resources, *, name=None, outputs=None, update=False, **sections):
        name = name or f"s{time.monotonic_ns()}"
        template = {"Resources": resources, "Outputs": outputs or {}, **sections}
        verb = client.update_stack if update else client.create_stack
        verb(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
        if name not in made:
            made.append(name)
        return settled(client, name)

    yield run
    for name in reversed(made):
        client.delete_stack(StackName=name)


@pytest.fixture
def settle(admin):
    """Give a function that waits for a stack and describes it."""
    return lambda name: settled(admin.client("cloudformation"), name)


def settled(client, name):
    """Wait until the stack is at rest; return its description with outputs as a dictionary."""
    for _ in range(600):
        found = client.describe_stacks(StackName=name)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS"):
            found["Outputs"] = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
            events = client.describe_stack_events(StackName=name)["StackEvents"]
            found["Reasons"] = " ".join(e.get("ResourceStatusReason", "") for e in events)
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {found['StackStatus']}")
