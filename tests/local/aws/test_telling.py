"""What a job tells the world, on a server of its own: events, metrics, logs, identities; and its clock."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from ground_truth_local import cli
from ground_truth_local.clock import ClockError, ClockHand
from ground_truth_local.conformance.memory_aws import CORS
from ground_truth_local.server import EmbeddedAws
from tests.local.service.conftest import TEMPLATE, request

TOPIC = "labels"


@pytest.fixture(scope="module")
def aws():
    with EmbeddedAws(simulated_workers=True, foreign_tags={"auto:creator": "ada"}) as server:
        yield server


@pytest.fixture(scope="module")
def told(aws):
    """A job of three small pictures and one that nobody can read, labeled; and what was heard of it."""
    session = aws.session()
    s3, iam, sqs, events = (session.client(name) for name in ("s3", "iam", "sqs", "events"))
    s3.create_bucket(Bucket="input")
    s3.put_bucket_cors(Bucket="input", CORSConfiguration={"CORSRules": CORS})
    s3.create_bucket(Bucket="output")
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), "red").save(buffer, "PNG")
    lines = []
    for index in range(3):
        s3.put_object(Bucket="input", Key=f"{index}.png", Body=buffer.getvalue())
        lines.append(json.dumps({"source-ref": f"s3://input/{index}.png"}))
    lines.append(json.dumps({"source-ref": "s3://input/missing.png"}))
    files = {
        "input.manifest": "\n".join(lines),
        "categories.json": json.dumps({"labels": [{"label": "road"}]}),
        "template.html": TEMPLATE,
    }
    for key, text in files.items():
        s3.put_object(Bucket="input", Key=f"jobs/{key}", Body=text.encode())
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName="labeling",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": ["s3:*", "logs:*", "cloudwatch:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="labeling",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="heard", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule="heard", Targets=[{"Id": "1", "Arn": arn}])
    team = aws.create_workteam("annotators", ["ada@example.com"])
    functions = "arn:aws:lambda:us-east-1:432418664414:function:"
    body = request(
        RoleArn=role,
        HumanTaskConfig__WorkteamArn=team,
        HumanTaskConfig__PreHumanTaskLambdaArn=f"{functions}PRE-SemanticSegmentation",
        HumanTaskConfig__AnnotationConsolidationConfig={
            "AnnotationConsolidationLambdaArn": f"{functions}ACS-SemanticSegmentation"
        },
    )
    sagemaker = session.client("sagemaker")
    sagemaker.create_labeling_job(**body)
    deadline = time.monotonic() + 60
    while (job := sagemaker.describe_labeling_job(LabelingJobName="streets"))["LabelingJobStatus"] in (
        "Initializing",
        "InProgress",
    ):
        assert time.monotonic() < deadline, job
        time.sleep(0.2)
    heard = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
        "Messages"
    ):
        heard += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return session, job, team, heard


def test_each_act_of_a_worker_is_an_event(told) -> None:
    _, job, team, heard = told
    assert job["LabelingJobStatus"] == "Completed", job
    acts = [event for event in heard if event["detail-type"].endswith("Task Status Change")]
    assert sorted(event["detail"]["State"] for event in acts) == ["Accepted"] * 3 + ["Submitted"] * 3
    for event in acts:
        assert event["detail"]["labeling-job-arn"] == job["LabelingJobArn"]
        assert event["detail"]["workteam-team-arn"] == team
    assert [event["detail"] for event in heard if event not in acts] == [{"LabelingJobStatus": "Completed"}]


def test_both_log_groups_are_written(told) -> None:
    session, job, team, _ = told
    logs = session.client("logs")
    lines = [
        json.loads(event["message"])
        for event in logs.filter_log_events(logGroupName="/aws/sagemaker/groundtruth/WorkerActivity")[
            "events"
        ]
    ]
    submitted = [line for line in lines if line["event_type"] == "TasksSubmitted"]
    assert len(submitted) == 3
    for line in submitted:
        assert (line["labeling_job_arn"], line["workteam_arn"]) == (job["LabelingJobArn"], team)
        times = [
            datetime.strptime(line[name], "%a %b %d %H:%M:%S UTC %Y")
            for name in ("task_accepted_time", "task_submitted_time")
        ]
        assert times == sorted(times)
    said = logs.filter_log_events(logGroupName="/aws/sagemaker/LabelingJobs")["events"]
    assert any("Completed" in event["message"] for event in said)


def test_metrics_are_where_others_saw_them(told) -> None:
    session, _, _, _ = told
    cloudwatch = session.client("cloudwatch")

    def found(namespace):
        return {
            (metric["MetricName"], *sorted(entry["Name"] for entry in metric["Dimensions"]))
            for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
        }

    assert ("TotalDatasetObjectsLabeled", "LabelingJobName") in found("AWS/Sagemaker/LabelingJobs")
    assert ("JobsSucceeded",) in found("AWS/Sagemaker/LabelingJobs")
    worker = ("CognitoUserPool", "LabelingJob", "WorkerId")
    assert {("TasksSubmitted", *worker), ("TimeSpent", *worker)} <= found("AWS/SageMaker/Workteam")
    end = datetime.now(UTC) + timedelta(minutes=5)
    most = cloudwatch.get_metric_statistics(
        Namespace="AWS/Sagemaker/LabelingJobs",
        MetricName="TotalDatasetObjectsLabeled",
        Dimensions=[{"Name": "LabelingJobName", "Value": "streets"}],
        StartTime=end - timedelta(hours=1),
        EndTime=end,
        Period=3_600,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert max(point["Maximum"] for point in most) == 3
    assert counted(cloudwatch, "TasksSubmitted", end)["Sum"] == 3
    assert counted(cloudwatch, "TasksAccepted", end)["Sum"] == 3
    # Acts are told together, and each keeps its own time.
    assert counted(cloudwatch, "TimeSpent", end)["SampleCount"] == 3


def counted(cloudwatch, name, end):
    """Add up a metric of all workers over the hour before a time."""
    sums = {"Sum": 0.0, "SampleCount": 0.0}
    for metric in cloudwatch.list_metrics(Namespace="AWS/SageMaker/Workteam", MetricName=name)["Metrics"]:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker/Workteam",
            MetricName=name,
            Dimensions=metric["Dimensions"],
            StartTime=end - timedelta(hours=1),
            EndTime=end,
            Period=3_600,
            Statistics=list(sums),
        )["Datapoints"]
        for statistic in sums:
            sums[statistic] += sum(point[statistic] for point in points)
    return sums


def test_a_worker_is_who_cognito_says(told) -> None:
    session, job, team, _ = told
    member = session.client("sagemaker").describe_workteam(WorkteamName="annotators")["Workteam"]
    pool = member["MemberDefinitions"][0]["CognitoMemberDefinition"]["UserPool"]
    (user,) = session.client("cognito-idp").list_users(UserPoolId=pool)["Users"]
    sub = next(entry["Value"] for entry in user["Attributes"] if entry["Name"] == "sub")
    s3 = session.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="output", Prefix="labels/")["Contents"]]
    response = next(key for key in keys if "worker-response" in key)
    answer = json.loads(s3.get_object(Bucket="output", Key=response)["Body"].read())["answers"][0]
    assert answer["workerMetadata"]["identityData"] == {
        "identityProviderType": "Cognito",
        "issuer": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
        "sub": sub,
    }
    assert {"Key": "auto:creator", "Value": "ada"} in job["Tags"]
    assert job["LabelingJobArn"].startswith("arn:aws:sagemaker:") and team


def test_the_administrator_moves_the_clock_and_nobody_else(
    aws, told, capsys: pytest.CaptureFixture[str]
) -> None:
    before = aws.clock.now()
    assert aws.clock.advance(days=10) - before >= timedelta(days=10)
    command = ["advance", "--hours", "2", "--state-dir", str(aws.state.root), "--endpoint", aws.endpoint_url]
    assert cli.main(command) == 0
    assert "it is 20" in capsys.readouterr().out
    assert aws.clock.now() - before >= timedelta(days=10, hours=2)
    environment = aws.environment
    deployer = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    with pytest.raises(ClockError, match="not authorized"):
        ClockHand(aws.endpoint_url, deployer, "us-east-1").advance(days=1)
    with pytest.raises(ClockError, match="ValidationException"):
        aws.clock.advance(days=-1)
    assert aws.clock.now() - before < timedelta(days=11)


def test_the_command_says_what_it_lacks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert cli.main(["advance", "--days", "1", "--state-dir", str(tmp_path)]) == 1
    assert "AWS_ENDPOINT_URL" in capsys.readouterr().err
    command = ["advance", "--days", "1", "--state-dir", str(tmp_path), "--endpoint", "http://127.0.0.1:1"]
    assert cli.main(command) == 1
    assert "no state directory" in capsys.readouterr().err
