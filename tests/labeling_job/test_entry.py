from __future__ import annotations

import json
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest

from labeling_job import contract, entry
from labeling_job.errors import NotYetError
from tests.labeling_job.fakes import S3, Clock, CloudFormation, SageMaker, event, properties
from tests.s3 import service_error
from tests.sleeping import by_own_threads


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch):
    answers = []
    monkeypatch.setattr(entry, "send", lambda url, body: answers.append((url, body)))
    return answers


@pytest.fixture
def invoke(
    monkeypatch: pytest.MonkeyPatch,
    sagemaker: SageMaker,
    s3: S3,
    cloudformation: CloudFormation,
    clock: Clock,
):
    monkeypatch.setattr(entry, "_now", clock.now)
    clients = {"sagemaker": sagemaker, "s3": s3, "cloudformation": cloudformation}
    monkeypatch.setattr(entry, "_clients", clients)
    monkeypatch.setattr(time, "sleep", by_own_threads(clock.sleep))
    context = SimpleNamespace(
        get_remaining_time_in_millis=lambda: clock.remaining_ms,
        log_group_name="group",
        log_stream_name="stream",
    )
    return lambda **fields: entry.handler(event(**fields), context)


def test_a_created_job_is_answered_with_its_attributes(invoke, sent) -> None:
    invoke()
    [(url, body)] = sent
    assert url.startswith("http://127.0.0.1:9/")
    assert body["Status"] == "SUCCESS"
    name = body["PhysicalResourceId"]
    assert name.startswith("streets-")
    assert body["Data"] == {
        "JobArn": f"arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/{name}",
        "OutputS3Uri": f"s3://out/labels/{name}/",
        "OutputManifestS3Uri": f"s3://out/labels/{name}/manifests/output/output.manifest",
        "ObjectCount": "unknown",
        "TaskCount": "unknown",
        "EstimatedCost": "unknown",
        "PreflightWarnings": "not checked",
    }


@pytest.mark.parametrize("count", [0, 2])
def test_warnings_of_a_deploy_that_succeeds_are_told_where_it_can_tell(
    invoke, sent, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    tags = {contract.TAG_WARNINGS: str(count)}
    monkeypatch.setattr(entry, "_preflight", lambda request, properties, context: tags)
    invoke()
    [(_, body)] = sent
    told = body["Data"]["PreflightWarnings"]
    report = f"s3://out/labels/preflight/{body['PhysicalResourceId']}.json"
    assert told == (f"2, see {report} or PreflightFound in the handler's log" if count else "none")


@pytest.mark.parametrize(
    ("environment", "told", "minutes"),
    [
        ({}, {}, 3),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {}, 3),
        ({}, {"WatchSeconds": "60"}, 1),
        ({entry.WATCH_SECONDS: "60"}, {}, 1),
        ({entry.WATCH_SECONDS: "60"}, {"WatchSeconds": "0"}, 0),
    ],
)
def test_how_long_a_job_in_progress_is_watched(
    invoke, sent, clock: Clock, monkeypatch: pytest.MonkeyPatch, environment, told, minutes: int
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = clock.now()
    invoke(ResourceProperties=properties(**told))
    assert sent[0][1]["Status"] == "SUCCESS"
    assert timedelta(0) <= clock.now() - before - timedelta(minutes=minutes) < timedelta(seconds=25)


def test_a_failed_job_fails_with_the_services_reason_and_the_log_group(
    invoke, sent, sagemaker: SageMaker
) -> None:
    sagemaker.statuses = ["Initializing", "Failed"]
    invoke()
    [(_, body)] = sent
    assert body["Status"] == "FAILED"
    assert "ClientError: the manifest is empty" in body["Reason"]
    assert "log group group, stream stream" in body["Reason"]
    assert body["PhysicalResourceId"].removeprefix("not-created:") in sagemaker.jobs


def test_a_contract_error_is_told_and_creates_nothing(invoke, sent, sagemaker: SageMaker) -> None:
    invoke(ResourceProperties=properties(Surprise="x"))
    [(_, body)] = sent
    assert body["Status"] == "FAILED" and "'Surprise'" in body["Reason"]
    assert body["PhysicalResourceId"] == "not-created:request-1"
    assert not sagemaker.jobs


def test_a_failed_update_keeps_the_physical_id(invoke, sent, sagemaker: SageMaker) -> None:
    sagemaker.fail["CreateLabelingJob"] = [service_error("CreateLabelingJob", "ValidationException", "bad")]
    changed = properties(JobNamePrefix="other")
    invoke(
        kind="Update",
        PhysicalResourceId="old-job",
        ResourceProperties=changed,
        OldResourceProperties=properties(),
    )
    [(_, body)] = sent
    assert (body["Status"], body["PhysicalResourceId"]) == ("FAILED", "old-job")
    assert "CreateLabelingJob: ValidationException: bad" in body["Reason"]


def test_out_of_time_is_left_unanswered_for_the_next_delivery(
    invoke, sent, sagemaker: SageMaker, clock: Clock
) -> None:
    patient = properties(ProbationSeconds="1800")
    sagemaker.statuses = ["Initializing"]
    with pytest.raises(NotYetError):
        invoke(ResourceProperties=patient)
    assert not sent
    sagemaker.jobs[next(iter(sagemaker.jobs))]["statuses"] = ["InProgress"]
    clock.remaining_ms = 900_000
    invoke(ResourceProperties=patient)
    assert sent[0][1]["Status"] == "SUCCESS"
    assert len(sagemaker.jobs) == 1


def test_a_delete_is_answered_with_the_same_id(invoke, sent) -> None:
    invoke(kind="Delete", PhysicalResourceId="never-was")
    assert sent[0][1]["Status"] == "SUCCESS"
    assert sent[0][1]["PhysicalResourceId"] == "never-was"


def test_logs_are_json_lines_without_the_response_url(
    invoke, sent, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke()
    lines = capsys.readouterr().out.splitlines()
    assert {"Create", "CreateLabelingJob", "Started"} <= {json.loads(line)["action"] for line in lines}
    assert not any("secret" in line for line in lines)
