"""Failures, stops, a destroy in the middle: nothing is lost, bought twice, or goes on alone."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from tests.campaign.conftest import LIVE, Account

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("campaign")]


def uris(bucket: str, count: int) -> list[str]:
    return [f"s3://{bucket}/photos/{number:05}.png" for number in range(count)]


def asked(account: Account, prefix: str) -> Counter[str]:
    """How often each image got a label, over all jobs, by the jobs' own outputs."""
    found: Counter[str] = Counter()
    for job in account.jobs(prefix):
        output = f"{job['OutputConfig']['S3OutputPath']}/{job['LabelingJobName']}/manifests/output/"
        try:
            lines = account.lines(f"{output}output.manifest")
        except account.s3.exceptions.NoSuchKey:
            continue
        name = job["LabelAttributeName"]
        found.update(line["source-ref"] for line in lines if name in line)
    return found


def live(account: Account, prefix: str) -> list[str]:
    jobs = account.jobs(prefix)
    return [job["LabelingJobName"] for job in jobs if job["LabelingJobStatus"] in LIVE]


def test_a_failed_job_ends_no_other_and_the_next_run_asks_its_images_alone(late: Account) -> None:
    bucket = late.bucket("fails", 23)
    outputs = late.deploy("Fails", bucket)
    execution = late.begin(outputs)
    third: Any = late.until(lambda: late.jobs("fails-campaign")[2:])[0]
    source = third["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    place = dict(zip(("Bucket", "Key"), source.removeprefix("s3://").split("/", 1), strict=True))
    whole = late.s3.get_object(**place)["Body"].read()
    # The service reads it some seconds after the job was made.
    late.s3.put_object(**place, Body=b"{")
    name = third["LabelingJobName"]
    late.until(lambda: status(late, name) == "Failed")
    late.s3.put_object(**place, Body=whole)
    assert late.ended(execution)["status"] == "SUCCEEDED"
    jobs = late.jobs("fails-campaign")
    assert Counter(job["LabelingJobStatus"] for job in jobs) == {"Completed": 4, "Failed": 1}
    missing = late.lines(outputs["Unlabeled"])
    assert len(missing) == len(whole.splitlines()) and {each["job"] for each in missing} == {name}
    assert all("the job failed: ClientError" in each["reason"] for each in missing)
    labeled = [line["source-ref"] for line in late.lines(outputs["Dataset"])]
    lost = [each["source-ref"] for each in missing]
    assert labeled == [uri for uri in uris(bucket, 23) if uri not in lost]

    late.run(outputs)
    [again] = late.jobs("fails-campaign")[5:]
    assert again["LabelCounters"]["TotalLabeled"] == len(missing)
    assert [line["source-ref"] for line in late.lines(outputs["Dataset"])] == uris(bucket, 23)
    assert late.lines(outputs["Unlabeled"]) == []
    assert set(asked(late, "fails-campaign").values()) == {1}


def status(account: Account, name: str) -> str:
    return str(account.sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"])


def test_a_full_account_is_waited_for(account: Account) -> None:
    """Three at once where two may live."""
    bucket = account.bucket("full", 12)
    outputs = account.deploy("Full", bucket, jobs_at_once=3)
    found = account.run(outputs)
    pages = account.states.get_paginator("get_execution_history").paginate(executionArn=found["executionArn"])
    errors = [
        event.get("taskFailedEventDetails", {}).get("error") for page in pages for event in page["events"]
    ]
    assert "AccountFullError" in errors
    assert [job["LabelingJobStatus"] for job in account.jobs("full-campaign")] == ["Completed"] * 3
    assert [line["source-ref"] for line in account.lines(outputs["Dataset"])] == uris(bucket, 12)


def partly(account: Account, prefix: str) -> bool:
    """One job is over, and one is in its middle."""
    jobs = account.jobs(prefix)
    counts = [job["LabelCounters"]["TotalLabeled"] for job in jobs if job["LabelingJobStatus"] in LIVE]
    return any(job["LabelingJobStatus"] == "Completed" for job in jobs) and any(0 < n < 4 for n in counts)


def test_a_stopped_run_keeps_its_labels_and_the_next_one_goes_on(slow: Account) -> None:
    bucket = slow.bucket("stopped", 23)
    outputs = slow.deploy("Stopped", bucket)
    execution = slow.begin(outputs)
    slow.until(lambda: partly(slow, "stopped-campaign"))
    # Nobody's last label may end a job in place of the campaign.
    with slow.at_rest():
        slow.states.stop_execution(executionArn=execution)
        slow.until(lambda: not live(slow, "stopped-campaign"))
    kept = slow.until(lambda: dataset(slow, outputs))
    jobs = slow.jobs("stopped-campaign")
    assert len(kept) == sum(job["LabelCounters"]["TotalLabeled"] for job in jobs) < 23
    reasons = {each["job"]: each["reason"] for each in slow.lines(outputs["Unlabeled"])}
    cut = [job for job in jobs if job["LabelingJobStatus"] == "Stopped" and job["LabelCounters"]["Unlabeled"]]
    assert cut and all(reasons[job["LabelingJobName"]] == "the job was stopped before" for job in cut)
    unmade = [reasons[name] for name in reasons.keys() - {job["LabelingJobName"] for job in jobs}]
    assert unmade and all("its run ended before" in why or "the run was stopped" in why for why in unmade)
    slow.run(outputs)
    assert [line["source-ref"] for line in slow.lines(outputs["Dataset"])] == uris(bucket, 23)
    assert set(asked(slow, "stopped-campaign").values()) == {1}


def dataset(account: Account, outputs: dict[str, str]) -> list[Any]:
    try:
        return account.lines(outputs["Dataset"])
    except account.s3.exceptions.NoSuchKey:
        return []


def labeled(account: Account, prefix: str) -> dict[str, int]:
    """How many labels each job made."""
    return {job["LabelingJobName"]: job["LabelCounters"]["TotalLabeled"] for job in account.jobs(prefix)}


def test_a_destroyed_campaign_leaves_no_job_and_a_new_one_goes_on(slow: Account) -> None:
    bucket = slow.bucket("destroyed", 23)
    outputs = slow.deploy("Destroyed", bucket)
    slow.begin(outputs)
    slow.until(lambda: partly(slow, "destroyed-campaign"))
    with slow.at_rest():
        slow.destroy("Destroyed")
    assert live(slow, "destroyed-campaign") == []
    first = labeled(slow, "destroyed-campaign")
    kept = slow.lines(outputs["Dataset"])
    assert 0 < len(kept) == sum(first.values()) < 23
    # It was ended, and not by the last label.
    assert "Stopped" in {job["LabelingJobStatus"] for job in slow.jobs("destroyed-campaign")}
    time.sleep(2)
    assert labeled(slow, "destroyed-campaign") == first

    again = slow.deploy("Destroyed", bucket)
    assert again["Dataset"] == outputs["Dataset"]
    slow.run(again)
    assert [line["source-ref"] for line in slow.lines(again["Dataset"])] == uris(bucket, 23)
    assert set(asked(slow, "destroyed-campaign").values()) == {1}


def test_a_changed_instruction_goes_on_and_a_changed_class_is_refused(slow: Account) -> None:
    from cdk_ground_truth import Instructions
    from ground_truth_local.cdk_cli import CdkError

    bucket = slow.bucket("changed", 23)
    outputs = slow.deploy("Changed", bucket)
    slow.begin(outputs)
    slow.until(lambda: partly(slow, "changed-campaign"))
    with slow.at_rest():
        slow.deploy("Changed", bucket, instructions=Instructions(short="Paint the kerb as road."))
        assert live(slow, "changed-campaign") == []
        kept = len(slow.lines(outputs["Dataset"]))
    assert 0 < kept < 23
    with pytest.raises(CdkError, match=f"{kept} images of the job 'changed-campaign' are labeled"):
        slow.deploy("Changed", bucket, labels=["road", "sky"])
    slow.deploy("Changed", bucket, instructions=Instructions(short="Paint the kerb as road."))
    slow.run(outputs)
    assert [line["source-ref"] for line in slow.lines(outputs["Dataset"])] == uris(bucket, 23)
    assert set(asked(slow, "changed-campaign").values()) == {1}
