"""What a real account does on the wire, asked for by options."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, ResponseStreamingError

from ground_truth_local.server import EmbeddedAws

SERVICE = "stub_service:StubService"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def rough(stub_on_path):
    options: dict[str, Any] = {
        "black_holes": ["iam"],
        "throttle_every": 4,
        "break_every": 3,
        "source_account": False,
    }
    with EmbeddedAws(service=SERVICE, **options) as aws:
        yield aws


def test_bodies_break_and_requests_are_throttled_as_often_as_asked(rough) -> None:
    patient, s3 = rough.session().client("s3"), rough.session().client("s3", config=ONCE)
    patient.create_bucket(Bucket="rough")
    patient.put_object(Bucket="rough", Key="a", Body=b"picture" * 100)
    seen = []
    for _ in range(24):
        try:
            body = s3.get_object(Bucket="rough", Key="a")["Body"].read()
            assert body == b"picture" * 100
            seen.append("whole")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "SlowDown"
            seen.append("throttled")
        except (ResponseStreamingError, HTTPClientError):
            seen.append("broken")
    assert seen.count("throttled") == 6
    assert seen.count("broken") == 6


def test_a_lambda_gets_no_answer_from_a_black_hole_and_people_do(rough) -> None:
    session = rough.session()
    lambdas, iam = session.client("lambda"), session.client("iam")
    assert iam.list_users()["Users"]
    principal = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    role = iam.create_role(RoleName="isolated", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    source = (
        "import boto3\nfrom botocore.config import Config\n"
        "def handler(event, context):\n"
        "    once = Config(read_timeout=1, retries={'total_max_attempts': 1})\n"
        "    try:\n"
        "        boto3.client('iam', config=once).list_users()\n"
        "    except Exception as error:\n"
        "        return type(error).__name__\n"
    )
    lambdas.create_function(
        FunctionName="isolated", Runtime="python3.13", Role=role, Handler="index.handler", Timeout=30,
        Code={"ZipFile": zipped(source)},
    )  # fmt: skip
    answer = lambdas.invoke(FunctionName="isolated")
    assert json.loads(answer["Payload"].read()) == "ReadTimeoutError"


def test_a_trust_policy_that_asks_for_the_account_isnt_met_when_none_is_sent(rough) -> None:
    session, name = rough.session(), f"asks-{time.monotonic_ns()}"
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": rough.account}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    session.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    with pytest.raises(ClientError, match="AssumeRoleDenied"):
        session.client("sagemaker").stop_labeling_job(LabelingJobName=f"{name}--bucket")


def zipped(source):
    import io
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", source)
    return archive.getvalue()
