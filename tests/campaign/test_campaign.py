"""A campaign from its first deploy on, with simulated workers: 23 images where a job takes five."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from tests.campaign.conftest import LIVE, Account

pytestmark = [pytest.mark.deploy, pytest.mark.xdist_group("campaign")]

PREFIX = "shows-campaign"


class Watcher:
    """Looks at how many jobs live, as often as it can."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._over = threading.Event()
        self.most = 0
        self.looks = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            live = [job for job in self._account.jobs(PREFIX) if job["LabelingJobStatus"] in LIVE]
            self.most, self.looks = max(self.most, len(live)), self.looks + 1
            time.sleep(0.05)


def test_twenty_three_images_are_five_jobs_and_one_more_is_one_more(account: Account) -> None:
    bucket = account.bucket("shows-one", 23)
    uris = [f"s3://{bucket}/photos/{number:05}.png" for number in range(23)]
    outputs = account.deploy("Shows", bucket)
    with Watcher(account) as watcher:
        account.run(outputs)
    jobs = account.jobs(PREFIX)
    assert [job["LabelingJobStatus"] for job in jobs] == ["Completed"] * 5
    assert sorted(job["LabelCounters"]["TotalLabeled"] for job in jobs) == [4, 4, 5, 5, 5]
    assert watcher.most == 2 and watcher.looks > 10
    lines = account.lines(outputs["Dataset"])
    assert [line["source-ref"] for line in lines] == uris
    assert all(line[f"{PREFIX}-ref"].startswith("s3://") for line in lines)
    assert account.lines(outputs["Unlabeled"]) == []

    before: Any = account.s3.head_object(Bucket=bucket, Key=f"labels/campaigns/{PREFIX}/dataset.manifest")
    nothing = account.run(outputs)
    assert '"count": 0' in nothing["output"] and len(account.jobs(PREFIX)) == 5
    after: Any = account.s3.head_object(Bucket=bucket, Key=f"labels/campaigns/{PREFIX}/dataset.manifest")
    assert before["ETag"] == after["ETag"]

    new = account.put_image(bucket, 23)
    account.run(outputs)
    [job] = account.jobs(PREFIX)[5:]
    assert job["LabelCounters"]["TotalLabeled"] == 1
    assert [line["source-ref"] for line in account.lines(outputs["Dataset"])] == [*uris, new]


def test_a_run_tells_of_itself(account: Account) -> None:
    """Once, with what training wants to know, and only where it brought enough."""
    from aws_cdk import CfnOutput
    from aws_cdk import aws_events_targets as targets
    from aws_cdk import aws_sqs as sqs

    def extend(campaign: Any) -> None:
        for name, least in (("Each", 0), ("Many", 100)):
            queue = sqs.Queue(campaign.stack, name)
            campaign.on_completed(f"On{name}", target=targets.SqsQueue(queue), min_new_labels=least)
            CfnOutput(campaign.stack, f"{name}Url", value=queue.queue_url)

    bucket = account.bucket("tells", 3)
    outputs = account.deploy("Tells", bucket, extend=extend)
    account.run(outputs)
    account.run(outputs)
    queue = account.aws.session().client("sqs")
    messages = queue.receive_message(QueueUrl=outputs["EachUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=10)
    [event] = [json.loads(message["Body"]) for message in messages["Messages"]]
    detail = event["detail"]
    assert (detail["labels"], detail["newLabels"], detail["unlabeled"]) == (3, 3, 0)
    assert detail["datasetManifest"] == outputs["Dataset"]
    assert "Messages" not in queue.receive_message(QueueUrl=outputs["EachUrl"], WaitTimeSeconds=1)
    assert "Messages" not in queue.receive_message(QueueUrl=outputs["ManyUrl"], WaitTimeSeconds=1)
